"""Splices of Java."""

from __future__ import annotations

from tests.pieces.cases import Case, check, table


@table(
    Case(
        "overloads are told apart by their parameters' types, whatever the arguments of these",
        """\
        class A {
            void f(int a) {}
            void f(java.util.List<String> a) {}
            void f(String... a) {}
        }
        """,
        """\
        class A {
            void f(String[] a) { int x; }
            void f(List<Integer> a) { int y; }
            void f(final @Nonnull int a) { int z; }
        }
        """,
        "A.f, A.f#2, A.f#3",
        """\
        class A {
            void f(final @Nonnull int a) { int z; }
            void f(List<Integer> a) { int y; }
            void f(String[] a) { int x; }
        }
        """,
    ),
    Case(
        "annotations, doc comments and imports come along, text blocks keep every byte",
        """\
        package a.b;

        import java.util.List;

        public class A {
            public void f(String a) {}

            static class Inner { void g() {} }
        }
        """,
        """\
        package a.b;

        import java.io.IOException;
        import java.util.*;
        import static org.junit.Assert.assertEquals;
        import static java.lang.Math.max;

        public class A {
        \t/** doc */
        \t@Deprecated
        \t@SuppressWarnings({"a",
        \t\t"b"})
        \tpublic void f(String a) throws IOException {
        \t\tassertEquals(1, max(1, 2));
        \t\tMap<String, Integer> m = new HashMap<>();
        \t\tString s = \"""
        \t\ttext
        \t\t  block\""";
        \t}

        \tstatic class Inner { void g() { int y; } }
        }
        """,
        "A.f, A.Inner.g",
        """\
        package a.b;

        import java.io.IOException;
        import java.util.*;
        import java.util.List;

        import static java.lang.Math.max;
        import static org.junit.Assert.assertEquals;

        public class A {
            /** doc */
            @Deprecated
            @SuppressWarnings({"a",
                "b"})
            public void f(String a) throws IOException {
                assertEquals(1, max(1, 2));
                Map<String, Integer> m = new HashMap<>();
                String s = \"""
        \t\ttext
        \t\t  block\""";
            }

            static class Inner { void g() { int y; } }
        }
        """,
    ),
    Case(
        "records, nested types, constructors and fields are pieces",
        """\
        public class A {
            private int x;

            public A() {}

            void last() {}
        }
        """,
        """\
        public class A {
            int p = 1, q;
            public A() { this(1); }
            public A(int y) { super(); }
            record R(int a, String b) { R { } static int z = 1; }
            @interface Ann { String value() default "x"; }
            interface I { int C = 1; default void d() {} }
        }
        """,
        "A.p, A.A, A.A#2, A.R, A.Ann, A.I",
        """\
        public class A {
            private int x;
            int p = 1, q;

            public A() { this(1); }

            public A(int y) { super(); }

            record R(int a, String b) { R { } static int z = 1; }

            @interface Ann { String value() default "x"; }

            interface I { int C = 1; default void d() {} }

            void last() {}
        }
        """,
    ),
    Case(
        "the first member of an enum ends its constants",
        """\
        enum E {
            A, B
        }
        """,
        """\
        enum E {
            A(1), B(2) { void x() {} };
            E(int v) { this.v = v; }
        }
        """,
        "E.E",
        """\
        enum E {
            A, B;

            E(int v) { this.v = v; }
        }
        """,
    ),
    Case(
        "a file without a package gets its first imports at the top",
        """\
        class A {}
        """,
        """\
        import java.util.List;
        class A { List<String> f() { return null; } }
        """,
        "A.f",
        """\
        import java.util.List;

        class A {
            List<String> f() { return null; }
        }
        """,
    ),
    Case(
        "members that the result lacks are told, however they are named",
        """\
        class A {
            void f() {}
        }
        """,
        """\
        class A {
            Map<String, String> cache;
            int x;
            static int count;
            void f() { int x = 1; cache.get(x); A.count++; this.h(); g(); }
            void f(int a) {}
            void g() {}
            void h() {}
        }
        """,
        "A.f",
        """\
        class A {
            void f() { int x = 1; cache.get(x); A.count++; this.h(); g(); }
        }
        """,
        (
            "A.f is the first of 2 of that name in other; not taken: A.f#2",
            "A.f uses A.cache of other, which the result lacks",
            "A.f uses A.count of other, which the result lacks",
            "A.f uses A.g of other, which the result lacks",
            "A.f uses A.h of other, which the result lacks",
        ),
    ),
    Case(
        "nested types of one name are told apart",
        """\
        class A { class B { void f() {} } }
        class B { void f() {} }
        """,
        """\
        class A { class B { void f() { int a; } } }
        class B { void f() { int b; } }
        """,
        "A.B.f",
        """\
        class A { class B { void f() { int a; } } }
        class B { void f() {} }
        """,
    ),
)
def test_a_splice_of_java(case: Case) -> None:
    check("java", case)
