"""The hub as a program: its end, its restart, its address, several of them."""

from __future__ import annotations

import datetime
import json
import os
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed

from flowide.store.backup import back_up
from tests.hub.client import Person, chained, command
from tests.hub.conftest import running_hub, token_of


@pytest.fixture
def database(tmp_path: Path) -> str:
    return str(tmp_path / "spaces")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_stop_tells_all_who_are_connected_and_takes_two_seconds_at_most(database: str, number: int) -> None:
    token = token_of(database, "shop", "ana")
    with running_hub(database) as hub:
        ana = Person(hub.base, "shop", token)
        with ana.stream() as stream, ana.again().stream() as other:
            stream.until("up_to_date")
            other.until("up_to_date")

            started = time.monotonic()
            hub.process.send_signal(number)
            byes = [each.until("bye") for each in (stream, other)]
            with pytest.raises(ConnectionClosed):
                stream.next()
        assert hub.process.wait(20) == 0
        took = time.monotonic() - started

    assert [bye["code"] for bye in byes] == ["restart", "restart"]
    assert all(bye["retry_ms"] == 500 for bye in byes)
    assert took < 6


def test_a_stop_with_a_reader_that_reads_nothing_ends_too(database: str) -> None:
    token = token_of(database, "shop", "ana")
    with running_hub(database) as hub:
        ana = Person(hub.base, "shop", token)
        ana.do("thread.open", thread="t", title="x")
        for number in range(30):
            ana.do("message.post", thread="t", message=str(number), text="x" * 60_000)
        with socket.create_connection(("127.0.0.1", int(hub.base.rpartition(":")[2]))) as line:
            line.sendall(
                b"GET /v1/spaces/shop/stream?after=0&chain= HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n"
                b"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: flowide.1\r\n"
                b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nAuthorization: Bearer "
                + token.encode()
                + b"\r\n\r\n"
            )
            line.recv(10)
            hub.process.send_signal(signal.SIGTERM)

            assert hub.process.wait(20) == 0


def test_what_was_acknowledged_is_there_after_a_kill(database: str) -> None:
    token = token_of(database, "shop", "ana")
    with running_hub(database) as hub:
        ana = Person(hub.base, "shop", token)
        sent = [command("artifact.create", path=f"{number}.md", text="") for number in range(20)]
        before = ana.post(*sent)
        hub.process.kill()
        hub.process.wait(20)

    with running_hub(database) as hub:
        ana = Person(hub.base, "shop", token)

        assert ana.post(*sent) == before
        chained(ana.events())


def test_a_lock_is_kept_over_a_restart_and_fences_go_on(database: str) -> None:
    token = token_of(database, "shop", "ana")
    with running_hub(database) as hub:
        ana = Person(hub.base, "shop", token)
        doc = ana.do("artifact.create", path="a.md", text="one")["artifact"]
        fence = ana.do("lock.acquire", artifact=doc)["fence"]
        hub.process.kill()
        hub.process.wait(20)

    with running_hub(database) as hub:
        again = Person(hub.base, "shop", token)
        again.client = ana.client
        again.do("lock.renew", artifact=doc, fence=fence)
        saved = again.do("artifact.save", artifact=doc, fence=fence, base=1, text="two")
        assert saved["version"] == 2
        assert again.do("lock.acquire", artifact=doc)["fence"] > fence


def test_a_restored_backup_is_noticed(database: str, tmp_path: Path) -> None:
    token = token_of(database, "shop", "ana")
    with running_hub(database) as hub:
        ana = Person(hub.base, "shop", token)
        ana.do("artifact.create", path="a.md", text="")
        back_up(database, tmp_path / "backup")
        ana.do("artifact.create", path="lost.md", text="")
        cursor = ana.events()[-1]
    shutil.rmtree(database)
    shutil.copytree(tmp_path / "backup", database)

    with running_hub(database) as hub:
        ana = Person(hub.base, "shop", token)
        ana.do("artifact.create", path="other.md", text="")
        with ana.stream(cursor["seq"], cursor["chain"]) as stream:
            assert stream.until("resync")["why"]


def test_a_database_that_is_taken_away_is_told_and_taken_up_again(database: str, tmp_path: Path) -> None:
    token = token_of(database, "shop", "ana")
    with running_hub(database) as hub:
        ana = Person(hub.base, "shop", token)
        ana.do("artifact.create", path="a.md", text="")
        file = Path(database) / "shop.db"
        with ana.stream() as stream:
            stream.until("up_to_date")
            for each in Path(database).glob("shop.db*"):
                each.rename(tmp_path / each.name)

            assert stream.until("bye")["code"] == "storage"
        assert ana.get("artifacts").status in {401, 503}
        for each in tmp_path.glob("shop.db*"):
            each.rename(file.parent / each.name)
        assert [row["path"] for row in ana.get("artifacts").json["ok"]] == ["a.md"]


def test_a_space_made_while_the_hub_runs_is_there(database: str) -> None:
    with running_hub(database) as hub:
        token = token_of(database, "late", "ana")

        assert Person(hub.base, "late", token).get("artifacts").json["ok"] == []


def test_an_address_that_is_taken_is_told(database: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        done = subprocess.run(
            [sys.executable, "-m", "flowide", "serve", "--database", database, "--port",
             str(taken.getsockname()[1])],
            capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip

    assert done.returncode == 8
    assert "in use" in done.stderr and "Traceback" not in done.stderr


def test_a_database_that_cannot_be_used_is_told_before_it_serves(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "flowide", "serve", "--database", "postgresql://127.0.0.1:9/x", "--port", "0"],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip

    assert done.returncode in {8, 10}
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def test_a_silent_client_is_dropped_and_one_that_answers_is_kept(database: str) -> None:
    """With pings every 15 s this would take a minute: the same code with shorter times."""
    import asyncio

    from flowide.domain.policy import Policy
    from flowide.hub.journal import Journal
    from flowide.hub.manner import Manner
    from flowide.hub.serve import Place, serve

    token = token_of(database, "shop", "ana")

    async def run() -> list[str]:
        found: asyncio.Queue[str] = asyncio.Queue()
        manner = Manner(ping_s=0.2, drop_s=1.0)
        place = Place(port=0)
        hub = asyncio.create_task(
            serve(
                database,
                place,
                policy=Policy(),
                manner=manner,
                journal=Journal("error"),
                ready=found.put_nowait,
            )
        )
        base = await found.get()

        def talk() -> list[str]:
            ana = Person(base, "shop", token)
            with ana.stream() as kept, ana.again().stream() as silent:
                end = time.monotonic() + 3
                while time.monotonic() < end:
                    kept.until("ping")
                lines = [json.loads(silent.line.recv(timeout=5))["type"] for _ in range(4)]
                while lines[-1] != "bye":
                    lines.append(json.loads(silent.line.recv(timeout=5))["type"])
                assert kept.ask("Artifacts")["ok"] == []
                return lines

        try:
            return await asyncio.to_thread(talk)
        finally:
            os.kill(os.getpid(), signal.SIGTERM)
            await hub

    assert asyncio.run(run())[-1] == "bye"


def test_with_tls_files_it_serves_https(database: str, tmp_path: Path) -> None:
    certificate, key = self_signed(tmp_path)
    token = token_of(database, "shop", "ana")
    with running_hub(database, "--tls-cert", str(certificate), "--tls-key", str(key)) as hub:
        assert hub.base.startswith("https://")
        trusted = ssl.create_default_context(cafile=str(certificate))
        asked = urllib.request.Request(f"{hub.base}/v1/me", headers={"Authorization": f"Bearer {token}"})
        with urllib.request.build_opener(
            urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=trusted)
        ).open(asked, timeout=10) as answer:
            assert json.load(answer)["member"] == "ana"
        with Person(hub.base, "shop", token).stream(ssl=trusted) as stream:
            stream.until("up_to_date")
            assert "ok" in stream.post(command("artifact.create", path="a.md", text=""))[0]
            stream.event("artifact.created")


def test_it_serves_ipv6_too(database: str) -> None:
    if not socket.has_ipv6 or not Path("/proc/net/if_inet6").exists():
        pytest.skip("there is no IPv6 here")
    with running_hub(database, "--host", "::1") as hub:
        assert hub.base.startswith("http://[::1]:")
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(
            f"{hub.base}/healthz"
        ) as answer:
            assert json.load(answer)["ok"] is True


def test_an_empty_hub_says_how_to_make_a_space(database: str) -> None:
    with running_hub(database) as hub:
        said = [json.loads(line) for line in hub.log.read_text().splitlines()]

    assert any("flowide token create" in line.get("hint", "") for line in said)


def test_behind_a_proxy_the_clients_own_address_counts(database: str) -> None:
    token = token_of(database, "shop", "ana")
    with running_hub(database, "--behind-proxy") as hub:
        ana = Person(hub.base, "shop", token)
        guess = Person(hub.base, "shop", "flw_wrong")
        for _ in range(12):
            last = guess.get("artifacts", X_Forwarded_For="192.0.2.1").status
        other = guess.get("artifacts", X_Forwarded_For="192.0.2.2").status

        assert (last, other) == (429, 401)
        assert ana.get("artifacts", Host="hub.example.org").status == 200


def self_signed(folder: Path) -> tuple[Path, Path]:
    """A certificate for 127.0.0.1, and its key."""
    x509: Any = pytest.importorskip("cryptography.x509")
    from ipaddress import ip_address

    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    (folder / "hub.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    (folder / "hub.key").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    return folder / "hub.pem", folder / "hub.key"


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="only Linux tells the limits of a process")
def test_a_hub_may_have_as_many_files_open_as_the_system_allows(database: str) -> None:
    token_of(database, "shop", "ana")
    with running_hub(database) as hub:
        limits = Path(f"/proc/{hub.process.pid}/limits").read_text()

    [line] = [line for line in limits.splitlines() if line.startswith("Max open files")]
    soft, hard = line.split()[3:5]
    assert int(soft) == min(int(hard), 65_536)
