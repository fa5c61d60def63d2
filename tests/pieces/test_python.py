"""Splices of Python."""

from __future__ import annotations

from tests.pieces.cases import Case, check, table


@table(
    Case(
        "a piece replaces the one of its name and brings its decorators and comments",
        """\
        class Cache:
            limit = 1  # entries

            def get(self, key):
                return None

            def put(self, key): ...
        """,
        '''\
        import functools

        class Cache:
            # Answers are kept
            # for good.
            @functools.cache
            def get(self, key):  # a hit is cheap
                """Find."""
                return key
                # nothing else
        ''',
        "Cache.get",
        '''\
        import functools


        class Cache:
            limit = 1  # entries

            # Answers are kept
            # for good.
            @functools.cache
            def get(self, key):  # a hit is cheap
                """Find."""
                return key
                # nothing else

            def put(self, key): ...
        ''',
    ),
    Case(
        "indentation follows the base but never inside strings of several lines",
        """\
        class A:
        \tdef f(self):
        \t\treturn 1
        """,
        '''\
        class A:
            def g(self):
                text = """
            kept
          as it is
        """
                if text:
                    return [
                        1,
                    ]
        ''',
        "A.g",
        '''\
        class A:
        \tdef f(self):
        \t\treturn 1

        \tdef g(self):
        \t\ttext = """
            kept
          as it is
        """
        \t\tif text:
        \t\t\treturn [
        \t\t\t\t1,
        \t\t\t]
        ''',
    ),
    Case(
        "a property's getter and setter are two pieces",
        """\
        class A:
            @property
            def x(self):
                return self._x

            def last(self): ...
        """,
        """\
        class A:
            @property
            def x(self):
                return 0

            @x.setter
            def x(self, value):
                self._x = value
        """,
        "A.x#2",
        """\
        class A:
            @property
            def x(self):
                return self._x

            @x.setter
            def x(self, value):
                self._x = value

            def last(self): ...
        """,
    ),
    Case(
        "a set of overloads is one piece",
        """\
        from typing import overload

        @overload
        def f(a: int) -> int: ...
        def f(a): return a

        def g(): ...
        """,
        """\
        from typing import Any, overload

        @overload
        def f(a: bytes) -> bytes: ...
        # the rest
        @overload
        def f(a: Any) -> Any: ...
        def f(a):
            return a
        """,
        "f",
        """\
        from typing import Any, overload

        @overload
        def f(a: bytes) -> bytes: ...
        # the rest
        @overload
        def f(a: Any) -> Any: ...
        def f(a):
            return a

        def g(): ...
        """,
    ),
    Case(
        "definitions in two branches are told apart",
        """\
        if windows:
            def f(): return 1
        else:
            def f(): return 2
        """,
        """\
        if windows:
            def f(): return 10
        else:
            def f(): return 20
        """,
        "f#2",
        """\
        if windows:
            def f(): return 1
        else:
            def f(): return 20
        """,
    ),
    Case(
        "methods of one name in two classes are told apart",
        """\
        class A:
            def f(self): return 1
        class B:
            def f(self): return 1
        """,
        """\
        class A:
            def f(self): return 2
        class B:
            def f(self): return 3
        """,
        "B.f",
        """\
        class A:
            def f(self): return 1
        class B:
            def f(self): return 3
        """,
    ),
    Case(
        "a missing piece goes after the nearest sibling that both have",
        """\
        def a(): ...


        def c(): ...
        """,
        """\
        def a(): ...
        def b(): ...
        def c(): ...
        """,
        "b",
        """\
        def a(): ...


        def b(): ...


        def c(): ...
        """,
    ),
    Case(
        "without such a sibling it goes before the main guard and a constant before the first function",
        """\
        import os

        def a(): ...

        if __name__ == "__main__":
            a()
        """,
        """\
        def b(): return LIMIT
        LIMIT = 3
        """,
        "b, LIMIT",
        """\
        import os

        LIMIT = 3


        def a(): ...


        def b(): return LIMIT

        if __name__ == "__main__":
            a()
        """,
    ),
    Case(
        "a comment that stands alone keeps its distance from a new piece",
        """\
        import os
        run = os.system
        # about the next class


        class A: ...
        """,
        """\
        # The version.
        version = 1
        """,
        "version",
        """\
        import os
        run = os.system
        # about the next class

        # The version.
        version = 1


        class A: ...
        """,
    ),
    Case(
        "a placeholder gives way to the first member",
        """\
        class A: ...
        class B:
            pass
        class C: x = 1
        """,
        """\
        class A:
            def f(self): ...
        class B:
            # why
            def f(self): ...
        class C:
            def f(self): ...
        """,
        "A.f, B.f, C.f",
        """\
        class A:
            def f(self): ...
        class B:
            # why
            def f(self): ...
        class C:
            x = 1

            def f(self): ...
        """,
    ),
    Case(
        "one of two statements on a line is taken alone",
        """\
        x = 1; y = 2
        """,
        """\
        x = 10
        """,
        "x",
        """\
        x = 10; y = 2
        """,
    ),
    Case(
        "white space at the end of a line stays there",
        "def a(): ...   \n\n\ndef c(): ...\n",
        "def a(): ...\ndef b(): ...\n",
        "b",
        "def a(): ...   \n\n\ndef b(): ...\n\n\ndef c(): ...\n",
    ),
    Case(
        "with a new name the definition and its references to itself change and nothing else",
        """\
        def sort(n): ...
        """,
        """\
        def quick(n):
            quick = "quick"
            return quick
        def fast(n):
            return fast(n - 1)
        """,
        "fast as sort, quick as slow",
        """\
        def sort(n):
            return sort(n - 1)


        def slow(n):
            quick = "quick"
            return quick
        """,
        ("sort: 1 references to itself were renamed too",),
    ),
    Case(
        "names outside ASCII are names",
        """\
        class Ä:
            def é(self): return "ü"
        """,
        """\
        class Ä:
            def é(self): return "日本"
            def ß(self): return "𝒳"
        """,
        "Ä.é, Ä.ß",
        """\
        class Ä:
            def é(self): return "日本"

            def ß(self): return "𝒳"
        """,
    ),
    Case(
        "an error elsewhere in the base is no obstacle",
        """\
        def broken(:
            pass

        def g():
            return 1
        """,
        """\
        def g():
            return 2
        """,
        "g",
        """\
        def broken(:
            pass

        def g():
            return 2
        """,
    ),
)
def test_a_splice_of_python(case: Case) -> None:
    check("python", case)
