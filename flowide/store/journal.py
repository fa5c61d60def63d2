"""Which journal mode is safe for a database file."""

from __future__ import annotations

from pathlib import Path

from flowide.errors import StorageFailed

_NETWORK = frozenset(
    [
        "9p", "afs", "beegfs", "ceph", "cifs", "davfs", "drvfs", "glusterfs", "gpfs", "lustre", "ncpfs", "nfs",
        "nfs4", "ocfs2", "orangefs", "prl_fs", "smb3", "smbfs", "vboxsf", "vmhgfs",
        *(f"fuse.{name}" for name in (
            "blobfuse", "blobfuse2", "ceph", "ceph-fuse", "curlftpfs", "davfs2", "gcsfuse", "glusterfs", "goofys",
            "google-drive-ocamlfuse", "gvfsd-fuse", "juicefs", "mount-s3", "rclone", "s3fs", "smbnetfs", "sshfs",
        )),
    ]
)  # fmt: skip
"""File systems whose other users are on other machines, as Linux names them."""


def journal_mode(path: Path, version: tuple[int, int, int], kind: str) -> tuple[str, str | None]:
    """`WAL`, or `DELETE` with a line that says why.

    SQLite 3.7.0 to 3.51.2 can corrupt a WAL database with two connections; 3.50.7 and 3.44.6 have the fix
    (sqlite.org/wal.html, "WAL-reset bug"). `kind` is the file system, as `file_system` names it.

    Raises:
        StorageFailed: The file is on a network file system, whose locks cannot be trusted.
    """
    if kind in _NETWORK:
        raise StorageFailed(
            f"{path} is on a network file system ({kind}), where locks cannot be trusted",
            hint="Keep the project on a local disk and share it through git or a hub.",
            file_system=kind,
        )
    if wal_is_safe(version):
        return "WAL", None
    name = ".".join(str(part) for part in version)
    return "DELETE", f"SQLite {name} has a bug in WAL mode; using the slower rollback journal"


def wal_is_safe(version: tuple[int, int, int]) -> bool:
    """Whether this SQLite may use WAL with several connections."""
    if version >= (3, 51, 3):
        return True
    fixed = {(3, 50): 7, (3, 44): 6}
    return version[2] >= fixed.get(version[:2], 10**6)


def file_system(path: Path) -> str:
    """Type of the file system that holds `path`, as Linux names it; empty when it cannot be told."""
    try:
        mounts = Path("/proc/self/mounts").read_text(errors="replace")
    except OSError:
        return ""
    target = str(path.resolve())
    best, kind = "", ""
    for line in mounts.splitlines():
        parts = line.split()
        if len(parts) < 3:
            continue
        point = parts[1].encode().decode("unicode_escape", "replace")
        inside = target == point or target.startswith(point.rstrip("/") + "/")
        if inside and len(point) >= len(best):
            best, kind = point, parts[2]
    return kind
