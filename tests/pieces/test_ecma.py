"""Splices of TypeScript, TSX and JavaScript."""

from __future__ import annotations

from tests.pieces.cases import Case, check, table


@table(
    Case(
        "overload signatures are one piece and static members are told apart",
        """\
        export function f(a: number): number;
        export function f(a: any) { return a }

        class A {
          m(a: number): void;
          m(a: any) {}
          static m() {}
          get x() { return 1 }
          set x(v) {}
        }
        """,
        """\
        import { z } from 'zod'
        /** New. */
        export function f(a: boolean): boolean;
        /** The rest. */
        export function f(a: any) { return z(a) }

        class A {
            /** doc */
            m(a: boolean): void;
            m(a: any) { return `
           keep ${a}
             this` }
            static m() { return 2 }
            get x() { return 10 }
            set x(v) { this._x = v }
        }
        """,
        "f, A.m, A.m#2, A.x#2",
        """\
        import { z } from 'zod'

        /** New. */
        export function f(a: boolean): boolean;
        /** The rest. */
        export function f(a: any) { return z(a) }

        class A {
          /** doc */
          m(a: boolean): void;
          m(a: any) { return `
           keep ${a}
             this` }
          static m() { return 2 }
          get x() { return 1 }
          set x(v) { this._x = v }
        }
        """,
    ),
    Case(
        "decorators come along and fields go before the methods",
        """\
        import { Component } from 'core';
        @Component({})
        export class A {
          x = 1;
          onClick() {}
        }
        """,
        """\
        import { Component, HostListener as Listener, Input } from 'core';
        export class A {
          @Input() name: string;
          // a click
          @Listener('click', ['$event'])
          onClick(e: Event) { }
        }
        """,
        "A.onClick, A.name",
        """\
        import { Component, HostListener as Listener, Input } from 'core';
        @Component({})
        export class A {
          x = 1;
          @Input() name: string;
          // a click
          @Listener('click', ['$event'])
          onClick(e: Event) { }
        }
        """,
    ),
    Case(
        "abstract classes are pieces as a whole",
        """\
        abstract class A {
          abstract f(): void;
        }
        """,
        """\
        import type { T } from './t';
        @sealed
        export abstract class A<X extends T> extends Base<X> {
          abstract f(): string;
        }
        """,
        "A",
        """\
        import type { T } from './t';

        @sealed
        export abstract class A<X extends T> extends Base<X> {
          abstract f(): string;
        }
        """,
    ),
    Case(
        "members of namespaces and modules are pieces",
        """\
        namespace N {
          export const a = 1;
          export namespace M {
            export function f() {}
          }
        }
        declare module "foo" {
          export function g(): void;
        }
        """,
        """\
        namespace N {
            export const a = 2;
            export const b = 3;
            export namespace M { export function f() { return 1 } }
        }
        declare module "foo" {
            export function g(): string;
            export function h(): string;
        }
        """,
        "N.b, N.M.f, foo.h",
        """\
        namespace N {
          export const a = 1;
          export const b = 3;
          export namespace M {
            export function f() { return 1 }
          }
        }
        declare module "foo" {
          export function g(): void;

          export function h(): string;
        }
        """,
    ),
    Case(
        "types and values are imported apart",
        """\
        import type { A } from './a';
        export function f(x: A) {}
        """,
        """\
        import { B, type C } from './a';
        import D from './d';
        import * as E from './e';
        export function f(x: B, y: C): D { return E.make(x) }
        """,
        "f",
        """\
        import type { A, C } from './a';
        import { B } from './a';
        import D from './d';
        import * as E from './e';
        export function f(x: B, y: C): D { return E.make(x) }
        """,
    ),
    Case(
        "a default export takes the place of the default export",
        """\
        import a from 'a'
        export default function Home() { return a }
        """,
        """\
        import b from 'b'
        export default class { render() { return b } }
        """,
        "default",
        """\
        import a from 'a'
        import b from 'b'
        export default class { render() { return b } }
        """,
        ("default takes the place of the default export Home",),
    ),
    Case(
        "interfaces, types and enums are pieces",
        """\
        interface I { a: string }
        type T = 1
        enum E { A, B }
        """,
        """\
        interface I { a: string; b(): void }
        /** doc */
        export type T = 2 | 3
        const enum E { A = 1 }
        """,
        "I, T, E",
        """\
        interface I { a: string; b(): void }
        /** doc */
        export type T = 2 | 3
        const enum E { A = 1 }
        """,
    ),
)
def test_a_splice_of_typescript(case: Case) -> None:
    check("typescript", case)


@table(
    Case(
        "an arrow function with JSX brings its imports name by name",
        """\
        import React from 'react';

        export const A: React.FC = () => <div/>;
        """,
        """\
        import { useState, type FC } from "react";
        import { Button } from "@/ui";
        import styles from "./a.module.css";
        import "./side.css";

        export const A: FC = () => {
        \tconst [s, setS] = useState<string>();
        \treturn (
        \t\t<Button className={styles.x} onClick={() => setS(a)}>
        \t\t\t{`a
          b`}
        \t\t</Button>
        \t);
        };
        """,
        "A",
        """\
        import React, { useState } from 'react';
        import type { FC } from 'react';
        import { Button } from '@/ui';
        import styles from './a.module.css';

        export const A: FC = () => {
        \tconst [s, setS] = useState<string>();
        \treturn (
        \t\t<Button className={styles.x} onClick={() => setS(a)}>
        \t\t\t{`a
          b`}
        \t\t</Button>
        \t);
        };
        """,
    ),
    Case(
        "JSX needs React where the source imports it",
        """\
        export const a = 1
        """,
        """\
        import React from 'react'
        import Foo, { Bar as Baz } from './foo'
        import * as NS from 'ns'
        export function Page() { return <Foo><NS.X/><Baz/></Foo> }
        """,
        "Page",
        """\
        import * as NS from 'ns'
        import React from 'react'
        import Foo, { Bar as Baz } from './foo'

        export const a = 1

        export function Page() { return <Foo><NS.X/><Baz/></Foo> }
        """,
    ),
)
def test_a_splice_of_tsx(case: Case) -> None:
    check("tsx", case)


@table(
    Case(
        "require stays require",
        """\
        const fs = require("fs");
        const f = () => 1;
        module.exports = { f };
        """,
        """\
        const path = require('path');
        const { join, resolve: res } = require('path');
        /* doc */
        const f = async (a) => {
            return path.sep + join(a) + res(a);
        };
        """,
        "f",
        """\
        const fs = require("fs");
        const path = require("path");
        const { join, resolve: res } = require("path");
        /* doc */
        const f = async (a) => {
            return path.sep + join(a) + res(a);
        };
        module.exports = { f };
        """,
    ),
    Case(
        "functions assigned to prototypes are pieces",
        """\
        Foo.prototype.bar = function() { return 1 };
        """,
        """\
        Foo.prototype.bar = function() { return 2 };
        Foo.prototype.baz = function() { return 3 };
        """,
        "Foo.prototype.bar, Foo.prototype.baz",
        """\
        Foo.prototype.bar = function() { return 2 };

        Foo.prototype.baz = function() { return 3 };
        """,
    ),
    Case(
        "the first import goes below the shebang and the directives",
        """\
        #!/usr/bin/env node
        'use strict';

        function a() {}
        """,
        """\
        import fs from 'fs'
        function b() { return fs }
        """,
        "b",
        """\
        #!/usr/bin/env node
        'use strict';

        import fs from 'fs'

        function a() {}

        function b() { return fs }
        """,
    ),
    Case(
        "a licence at the top is not the first function's comment",
        """\
        /**
         * Copyright of somebody
         */

        /** f */
        function f() {}
        """,
        """\
        // of another
        function f() { return 1 }
        """,
        "f",
        """\
        /**
         * Copyright of somebody
         */

        // of another
        function f() { return 1 }
        """,
    ),
    Case(
        "private, computed, quoted and generator members are pieces",
        """\
        class A {
          get x() { return 1 }
        }
        """,
        """\
        class A {
          get x() { return 10 }
          #p = 2;
          [Symbol.iterator]() { return this.#p }
          async *gen() { yield 1 }
          'quoted-name'() {}
        }
        """,
        "A.#p, A.[Symbol.iterator], A.gen, A.quoted-name",
        """\
        class A {
          get x() { return 1 }

          #p = 2;

          [Symbol.iterator]() { return this.#p }

          async *gen() { yield 1 }

          'quoted-name'() {}
        }
        """,
    ),
)
def test_a_splice_of_javascript(case: Case) -> None:
    check("javascript", case)
