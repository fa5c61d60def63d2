"""Splices of Rust."""

from __future__ import annotations

from tests.pieces.cases import Case, check, table


@table(
    Case(
        "members of impl blocks bring attributes and doc comments",
        """\
        use std::fmt;

        pub struct A<T>(T);

        impl<T> A<T> {
            pub fn new(t: T) -> Self { A(t) }
        }

        impl<T> fmt::Display for A<T> {
            fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result { Ok(()) }
        }
        """,
        """\
        use std::fmt::{self, Write as _};
        use std::collections::HashMap;

        impl<T> A<T> {
          /// New.
          ///
          /// More.
          #[inline]
          pub fn new(t: T) -> Self {
            let s = r#"
          raw
        "#;
            let _m: HashMap<u8, u8> = HashMap::new();
            A(t)
          }

          pub const N: usize = 1;
        }

        impl<T> fmt::Display for A<T> {
          fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { write!(f, "x") }
        }

        impl<T: Clone> Clone for A<T> {
          fn clone(&self) -> Self { todo!() }
        }
        """,
        "A.new, A.N, A.Display.fmt, impl Clone for A",
        """\
        use std::collections::HashMap;
        use std::fmt;
        use std::fmt::Write as _;

        pub struct A<T>(T);

        impl<T> A<T> {
            /// New.
            ///
            /// More.
            #[inline]
            pub fn new(t: T) -> Self {
                let s = r#"
          raw
        "#;
                let _m: HashMap<u8, u8> = HashMap::new();
                A(t)
            }

            pub const N: usize = 1;
        }

        impl<T> fmt::Display for A<T> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { write!(f, "x") }
        }

        impl<T: Clone> Clone for A<T> {
            fn clone(&self) -> Self { todo!() }
        }
        """,
    ),
    Case(
        "items under different cfg are told apart",
        """\
        #[cfg(unix)]
        fn f() -> u8 { 1 }

        #[cfg(windows)]
        fn f() -> u8 { 2 }
        """,
        """\
        /// doc
        #[cfg(windows)]
        #[inline]
        fn f() -> u8 { 20 }

        #[cfg(unix)]
        fn f() -> u8 { 10 }
        """,
        "f",
        """\
        #[cfg(unix)]
        fn f() -> u8 { 1 }

        /// doc
        #[cfg(windows)]
        #[inline]
        fn f() -> u8 { 20 }
        """,
        ("f is the first of 2 of that name in other; not taken: f#2",),
    ),
    Case(
        "impl blocks for different type arguments are told apart and parameters' names do not matter",
        """\
        impl A<u8> { fn f(&self) {} }
        impl A<u16> { fn f(&self) {} }
        impl<'a, T> B<'a, T> { fn f(&self) {} }
        """,
        """\
        impl A<u16> { fn f(&self) { 2 } }
        impl<'b, X> B<'b, X> { fn f(&self) { 3 } }
        """,
        "A<u16>.f, B.f",
        """\
        impl A<u8> { fn f(&self) {} }
        impl A<u16> { fn f(&self) { 2 } }
        impl<'a, T> B<'a, T> { fn f(&self) { 3 } }
        """,
    ),
    Case(
        "traits, macros, statics and modules",
        """\
        //! Crate.
        #![allow(dead_code)]

        trait T {
            fn a(&self);
        }

        mod m {
            pub fn a() {}
        }
        """,
        """\
        trait T: Sized {
            type Out;
            /// a
            fn a(&self) -> Self::Out;
            fn b(&self) { }
        }
        mod m {
            use std::rc::Rc;
            pub fn b() -> Rc<u8> { Rc::new(1) }
        }
        #[macro_export]
        macro_rules! helper {
            () => {};
        }
        """,
        "T.a, T.b, m.b, helper",
        """\
        //! Crate.
        #![allow(dead_code)]

        trait T {
            /// a
            fn a(&self) -> Self::Out;

            fn b(&self) { }
        }

        mod m {
            use std::rc::Rc;

            pub fn a() {}

            pub fn b() -> Rc<u8> { Rc::new(1) }
        }

        #[macro_export]
        macro_rules! helper {
            () => {};
        }
        """,
    ),
    Case(
        "foreign functions go into the block of their ABI",
        """\
        extern "C" {
            fn a();
        }
        fn z() {}
        """,
        """\
        fn z() {}
        extern "C" {
            /// b
            fn b();
        }
        """,
        "b",
        """\
        extern "C" {
            fn a();

            /// b
            fn b();
        }
        fn z() {}
        """,
    ),
    Case(
        "the first use goes below the inner attributes, names join the use of their module",
        """\
        //! Crate.
        #![allow(dead_code)]

        use std::sync::Arc;

        fn a(_: Arc<u8>) {}
        """,
        """\
        use std::{collections::HashMap, io::{self, Read}};
        use std::sync::{Arc, Mutex};
        use serde::Serialize;
        #[derive(Serialize)]
        pub struct S { m: Mutex<HashMap<u8, Arc<u8>>> }
        fn r(x: &mut dyn Read) -> io::Result<()> { Ok(()) }
        """,
        "S, r",
        """\
        //! Crate.
        #![allow(dead_code)]

        use std::collections::HashMap;
        use std::io;
        use std::io::Read;
        use std::sync::{Arc, Mutex};

        use serde::Serialize;

        fn a(_: Arc<u8>) {}

        #[derive(Serialize)]
        pub struct S { m: Mutex<HashMap<u8, Arc<u8>>> }

        fn r(x: &mut dyn Read) -> io::Result<()> { Ok(()) }
        """,
    ),
    Case(
        "a variable does not hide the module of its name",
        """\
        fn a() {}
        """,
        """\
        use std::ptr;
        use support::send;
        mod support { pub fn send() {} }
        fn b() {
            let ptr = 1;
            send(ptr::null(), ptr);
        }
        """,
        "b",
        """\
        use std::ptr;

        use support::send;

        fn a() {}

        fn b() {
            let ptr = 1;
            send(ptr::null(), ptr);
        }
        """,
        ("the import of send needs support of other, which the result lacks",),
    ),
    Case(
        "doc comments belong to their item across other comments and blank lines",
        """\
        fn b() {}
        """,
        """\
        /// First.
        // aside

        /// Second.
        fn b() { 1 }
        """,
        "b",
        """\
        /// First.
        // aside

        /// Second.
        fn b() { 1 }
        """,
    ),
)
def test_a_splice_of_rust(case: Case) -> None:
    check("rust", case)
