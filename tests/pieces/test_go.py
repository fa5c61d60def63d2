"""Splices of Go."""

from __future__ import annotations

from tests.pieces.cases import Case, check, table


@table(
    Case(
        "methods are named by their receiver, generic or not, and build tags stay",
        """\
        //go:build linux

        // Package a is a.
        package a

        import "fmt"

        type T[K comparable, V any] struct {
        \ta K
        }

        func (t *T[K, V]) Get(k K) V { return t.v }

        func F() { fmt.Println() }
        """,
        """\
        //go:build windows

        package a

        import "context"

        // Get gets.
        //
        //go:noinline
        func (t *T[K, V]) Get(ctx context.Context, k K) (V, error) {
        \ts := `a
          b`
        \treturn t.helper(s)
        }

        func (t *T[K, V]) helper(s string) V { return nil }
        func (t T[K, V]) Put() {}
        """,
        "T.Get, T.Put",
        """\
        //go:build linux

        // Package a is a.
        package a

        import "context"
        import "fmt"

        type T[K comparable, V any] struct {
        \ta K
        }

        // Get gets.
        //
        //go:noinline
        func (t *T[K, V]) Get(ctx context.Context, k K) (V, error) {
        \ts := `a
          b`
        \treturn t.helper(s)
        }

        func (t T[K, V]) Put() {}

        func F() { fmt.Println() }
        """,
        ("T.Get uses T.helper of other, which the result lacks",),
    ),
    Case(
        "one method name on two receivers",
        """\
        package a

        func (a A) M() int { return 1 }
        func (b B) M() int { return 1 }
        """,
        """\
        package a

        func (b B) M() int { return 2 }
        """,
        "B.M",
        """\
        package a

        func (a A) M() int { return 1 }
        func (b B) M() int { return 2 }
        """,
    ),
    Case(
        "members of a group keep to groups and lose or get their keyword",
        """\
        package a

        const X = 1

        type (
        \tP struct{ a int }
        \tQ interface{ M() }
        )
        """,
        """\
        package a

        const (
        \t// X is x.
        \tX = 2
        )

        type (
        \tP struct{ a, b int }
        \tR = P
        )

        // Q is q.
        type Q interface{ M(); N() }
        """,
        "X, P, R, Q",
        """\
        package a

        // X is x.
        const X = 2

        type (
        \tP struct{ a, b int }
        \tR = P
        \t// Q is q.
        \tQ interface{ M(); N() }
        )
        """,
    ),
    Case(
        "what follows a group keeps its distance from it",
        """\
        package a

        const (
        \tA = 1
        )

        func F() {}
        """,
        """\
        package a

        const (
        \tA = 1
        )

        const Y = 2
        """,
        "Y",
        """\
        package a

        const (
        \tA = 1
        )

        const Y = 2

        func F() {}
        """,
    ),
    Case(
        "a constant that moves the others' iota is told",
        """\
        package a

        const (
        \tA = iota
        \tB
        )
        """,
        """\
        package a

        const (
        \tA = iota
        \tZ // last
        \tB
        )
        """,
        "Z",
        """\
        package a

        const (
        \tA = iota
        \tZ // last
        \tB
        )
        """,
        ("Z moves the iota of the constants below it",),
    ),
    Case(
        "packages are carried by what qualifies, local names are not packages",
        """\
        package a

        import (
        \t"fmt"

        \t"github.com/x/other"
        )

        func A() { fmt.Println(other.B) }
        """,
        """\
        package a

        import (
        \t"net/url"
        \t"os"

        \tz "github.com/x/go-z"
        \t"github.com/x/y/v2"
        )

        func A(os string) {
        \turl, err := url.Parse(os.Name)
        \tz.E(y.Q, url, err)
        }
        """,
        "A",
        """\
        package a

        import (
        \t"fmt"
        \t"net/url"

        \tz "github.com/x/go-z"
        \t"github.com/x/other"
        \t"github.com/x/y/v2"
        )

        func A(os string) {
        \turl, err := url.Parse(os.Name)
        \tz.E(y.Q, url, err)
        }
        """,
    ),
    Case(
        "there may be any number of init functions",
        """\
        package a

        func init() {}
        """,
        """\
        package a

        func init() {}

        func init() { x() }
        """,
        "init#2",
        """\
        package a

        func init() {}

        func init() { x() }
        """,
    ),
    Case(
        "a method under a new name moves to the other type",
        """\
        package a

        type A struct{}
        """,
        """\
        package a

        // M is m.
        func (b *B) M() { b.x() }
        """,
        "B.M as A.N",
        """\
        package a

        type A struct{}

        // M is m.
        func (b *A) N() { b.x() }
        """,
    ),
    Case(
        "cgo is told",
        """\
        package a
        """,
        """\
        package a

        // #include <stdio.h>
        import "C"

        func F() { C.puts() }
        """,
        "F",
        """\
        package a

        func F() { C.puts() }
        """,
        ("F uses cgo: carry its import and preamble by hand",),
    ),
)
def test_a_splice_of_go(case: Case) -> None:
    check("go", case)
