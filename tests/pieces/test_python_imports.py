"""Imports and helpers that a spliced piece of Python brings along."""

from __future__ import annotations

from tests.pieces.cases import Case, check, table


@table(
    Case(
        "names are added where their module is imported already",
        """\
        from typing import Any
        import os

        x: Any = os
        """,
        """\
        from typing import Iterable, Optional
        import os
        def f(a: Optional[int]): return os
        """,
        "f",
        """\
        from typing import Any, Optional
        import os

        x: Any = os


        def f(a: Optional[int]): return os
        """,
    ),
    Case(
        "from __future__ comes before every other import",
        '''\
        #!/usr/bin/env python
        """Doc."""

        # about os
        import os
        ''',
        """\
        from __future__ import annotations
        import re
        from . import near
        def f(x: int): return re, near
        """,
        "f",
        '''\
        #!/usr/bin/env python
        """Doc."""

        from __future__ import annotations

        # about os
        import os
        import re

        from . import near


        def f(x: int): return re, near
        ''',
    ),
    Case(
        "new groups of imports are parted by one blank line",
        """\
        from .near import n
        """,
        """\
        import gc
        import re
        import click
        def f(): return gc, re, click
        """,
        "f",
        """\
        import gc
        import re

        import click

        from .near import n


        def f(): return gc, re, click
        """,
    ),
    Case(
        "imports for type checkers stay with the type checkers",
        """\
        from typing import TYPE_CHECKING
        if TYPE_CHECKING:
            from a import B
        """,
        """\
        from __future__ import annotations
        import typing as t
        if t.TYPE_CHECKING:
            from a import C
            from q import D
        def f(c: C, d: t.Optional["D"]): ...
        """,
        "f",
        """\
        from __future__ import annotations

        import typing as t
        from typing import TYPE_CHECKING
        if TYPE_CHECKING:
            from a import B, C
            from q import D


        def f(c: C, d: t.Optional["D"]): ...
        """,
    ),
    Case(
        "names in quoted types count and those in other strings do not",
        "",
        """\
        import json
        import os
        import re
        from typing import Literal, Union, cast
        Path = Union[str, "os.PathLike"]
        def f(kind: Literal["json"]): return cast("re.Pattern", "json")
        """,
        "Path, f",
        """\
        import os
        import re
        from typing import cast, Literal, Union


        Path = Union[str, "os.PathLike"]


        def f(kind: Literal["json"]): return cast("re.Pattern", "json")
        """,
    ),
    Case(
        "an import with its fallback comes as a whole",
        """\
        import os
        """,
        """\
        try:
            import simplejson as json
        except ImportError:
            import json
        def f(): return json
        """,
        "f",
        """\
        import os

        try:
            import simplejson as json
        except ImportError:
            import json


        def f(): return json
        """,
    ),
    Case(
        "what a conditional import needs comes along or is told",
        """\
        x = 1
        """,
        """\
        import sys
        OLD = False
        try:
            import fast
        except ImportError:
            if OLD:
                print("no fast", file=sys.stderr)
            fast = None
        def f(): return fast
        """,
        "f",
        """\
        import sys

        try:
            import fast
        except ImportError:
            if OLD:
                print("no fast", file=sys.stderr)
            fast = None

        x = 1


        def f(): return fast
        """,
        ("the conditional import of fast uses OLD of other, which the result lacks",),
    ),
    Case(
        "what a function imports or binds for itself is not carried",
        "",
        """\
        import re
        import os
        def f(os):
            import re
            return re, os, [re for re in os]
        """,
        "f",
        """\
        def f(os):
            import re
            return re, os, [re for re in os]
        """,
    ),
    Case(
        "types of typing and of collections.abc are the same",
        """\
        from typing import Final, Iterator
        """,
        """\
        from collections.abc import Iterator, Sequence
        from typing_extensions import Final
        def f(a: Final) -> Iterator[Sequence]: ...
        """,
        "f",
        """\
        from collections.abc import Sequence
        from typing import Final, Iterator


        def f(a: Final) -> Iterator[Sequence]: ...
        """,
    ),
    Case(
        "another meaning in the base is told",
        """\
        from a import X
        """,
        """\
        from b import X
        def f(): return X
        """,
        "f",
        """\
        from a import X


        def f(): return X
        """,
        ("f uses X (X of b in other), but there the base has X of a: the import was not carried",),
    ),
    Case(
        "helpers that the result lacks are told",
        """\
        class A:
            def f(self): ...
        """,
        """\
        LIMIT = 3
        class A:
            def __init__(self):
                self.cache = {}
            def f(self):
                return self._g(LIMIT), self.cache, deep()
            def _g(self): ...
        def deep(): ...
        """,
        "A.f",
        """\
        class A:
            def f(self):
                return self._g(LIMIT), self.cache, deep()
        """,
        (
            "A.f uses LIMIT of other, which the result lacks",
            "A.f uses deep of other, which the result lacks",
            "A.f uses A._g of other, which the result lacks",
            "A.f uses A.cache of other, which the result lacks",
        ),
    ),
    Case(
        "what is needed at once but defined further down is told",
        """\
        import os

        def f(): ...

        Token = int
        base = os
        """,
        """\
        Token = str
        base = 1
        def f(a: Token, b=base, c: "Token" = 1):
            return Token, base
        """,
        "f",
        """\
        import os

        def f(a: Token, b=base, c: "Token" = 1):
            return Token, base

        Token = int
        base = os
        """,
        (
            "f needs Token at once, which the result defines further down",
            "f needs base at once, which the result defines further down",
        ),
    ),
    Case(
        "a name that the statement around the piece binds is told",
        "",
        """\
        with open("a") as stream:
            text = stream.read()
        """,
        "text",
        """\
        text = stream.read()
        """,
        ("text uses stream of other, which the result lacks",),
    ),
)
def test_imports_and_helpers_of_python(case: Case) -> None:
    check("python", case)
