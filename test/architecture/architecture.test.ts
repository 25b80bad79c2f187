/** Checks the rules of the design on the real source tree, and shows on small trees that each rule can fail. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { globSync } from 'tinyglobby';
import { describe, expect, it } from 'vitest';
import { findFunctions } from './functions.js';
import { findImports, type SourceTree } from './imports.js';
import { findFaults, findLongComments } from './rules.js';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

describe('the source tree', () => {
  const tree = readTree();

  it('was read', () => {
    for (const path of ['src/protocol/topics.ts', 'src/bus/bus.ts', 'src/core/mesh/trit.ts'])
      expect([...tree.keys()]).toContain(path);
    expect(tree.size).toBeGreaterThan(30);
  });

  it('has imports that the scan sees', () => {
    const imports = [...tree].flatMap(([path, source]) => findImports(path, source));
    expect(imports.length).toBeGreaterThan(tree.size);
  });

  it('has functions and exports that the scans see', () => {
    const functions = [...tree.values()].flatMap(findFunctions);
    expect(functions.length).toBeGreaterThan(3 * tree.size);
    expect(Math.max(...functions.map(({ length }) => length))).toBeGreaterThan(40);
  });

  it('follows the rules of the design', () => {
    expect(findFaults(tree)).toEqual([]);
  });

  it('has no comment longer than a line of the formatter', () => {
    expect(findLongComments(tree)).toEqual([]);
  });
});

describe('the scan of imports', () => {
  it.each([
    { what: 'an import', source: "import { a } from './b.js';", found: ['./b.js'] },
    { what: 'a type import', source: "import type { A } from './b.js';", found: ['./b.js'] },
    { what: 'a namespace', source: "import * as b from './b.js';", found: ['./b.js'] },
    { what: 'a default and names', source: "import b, { type A } from 'b';", found: ['b'] },
    { what: 'many lines', source: "import {\n  a,\n  type B,\n} from './b.js';", found: ['./b.js'] },
    { what: 'an export', source: "export { a } from './b.js';", found: ['./b.js'] },
    { what: 'an export of all', source: "export * from './b.js';", found: ['./b.js'] },
    { what: 'an export of types', source: "export type { A } from './b.js';", found: ['./b.js'] },
    { what: 'a bare import', source: "import './b.js';", found: ['./b.js'] },
    { what: 'an import when needed', source: "const b = await import('./b.js');", found: ['./b.js'] },
    { what: 'a type when needed', source: "const b: import('./b.js').B = 1;", found: ['./b.js'] },
    { what: 'a require', source: "const b = require('b');", found: ['b'] },
    {
      what: 'several',
      source: "import './a.js';\nimport { b } from './b.js';\nexport const c = 1;\n",
      found: ['./a.js', './b.js'],
    },
    { what: 'a block comment', source: "/**\n * import { a } from './b.js';\n */\nexport const a = 1;", found: [] },
    { what: 'a line comment', source: "// import './b.js'\nfoo(); // see import('./b.js')\n", found: [] },
    { what: 'no import', source: "export const from = 'x';\nexport function importAll(): void {}\n", found: [] },
  ])('finds in $what: $found', ({ source, found }) => {
    expect(
      findImports('src/x.ts', source)
        .map(({ specifier }) => specifier)
        .toSorted(),
    ).toEqual(found);
  });
});

describe('the scan of functions', () => {
  it.each([
    { what: 'a function', source: 'export async function a(): void {\n  b();\n}', found: [3] },
    { what: 'many parameters', source: 'function a(\n  b: B,\n  c: C,\n): void {\n  b();\n}', found: [6] },
    { what: 'a parameter taken apart', source: 'function a({\n  b,\n}: {\n  b: B;\n}): void {\n  b();\n}', found: [7] },
    { what: 'an arrow', source: 'const a = (b: B): void => {\n  b();\n};', found: [3] },
    { what: 'a method', source: 'class A {\n  async b(c: C): Promise<C> {\n    return c;\n  }\n}', found: [3] },
    {
      what: 'a callback, which counts twice',
      source: 'function a() {\n  b.map((c) => {\n    c();\n  });\n}',
      found: [5, 3],
    },
    {
      what: 'an inner function, which counts once',
      source: 'function a() {\n  function b() {\n    c();\n  }\n}',
      found: [2, 3],
    },
    {
      what: 'an inner arrow, which counts once',
      source: 'function a() {\n  const b = () => {\n    c();\n  };\n}',
      found: [2, 3],
    },
    { what: 'a branch', source: 'function a() {\n  if (b) {\n    c();\n  } else {\n    d();\n  }\n}', found: [7] },
    { what: 'a literal that is returned', source: 'function a() {\n  return {\n    b,\n    c,\n  };\n}', found: [4] },
    {
      what: 'a method that is returned',
      source: 'function a() {\n  return {\n    b() {\n      c();\n    },\n  };\n}',
      found: [4, 3],
    },
    { what: 'a switch', source: 'function a() {\n  switch (b) {\n    case 1:\n      return 2;\n  }\n}', found: [4] },
    { what: 'a program of a shell', source: 'function a() {\n  return `\nf() {\n}\n`;\n}', found: [3] },
    { what: 'marks in texts', source: "function a() {\n  b('`}', /[`}/]/, `${c} // {`);\n}", found: [3] },
    { what: 'a comment', source: '/**\n * function a() {\n */\nconst a = 1; // () => {\n', found: [] },
    { what: 'types, classes and literals', source: 'interface A {\n  b(): C;\n}\nconst a = {\n  b,\n};', found: [] },
  ])('counts in $what: $found', ({ source, found }) => {
    expect(findFunctions(source).map(({ length }) => length)).toEqual(found);
  });
});

describe('a tree', () => {
  const good: Readonly<Record<string, string>> = {
    'src/protocol/a.ts': "import { z } from 'zod';\nexport const a = z;\n",
    'src/core/b.ts': "import { a } from '../protocol/a.js';\nexport const b = a;\n",
    'src/bus/bus.ts': "import type { Observable } from 'rxjs';\nexport type Bus = Observable<string>;\n",
    'src/bus/mqtt-bus.ts':
      "import type { Bus } from './bus.js';\nimport { part } from './mqtt-part.js';\nimport mqtt from 'mqtt';\n",
    'src/bus/mqtt-part.ts': 'export const part = 1;\n',
    'src/bus/memory-bus.ts': 'export const memory = 1;\n',
    'src/journal/level-journal.ts': "import { readFileSync } from 'node:fs';\n",
    'src/pipelines/c.ts': "import { b } from '../core/b.js';\nimport { map } from 'rxjs/operators';\n",
    'src/node/create-node.ts': "import { c } from '../pipelines/c.js';\nimport type { Bus } from '../bus/bus.js';\n",
    'src/sim/world.ts': "import { memory } from '../bus/memory-bus.js';\n",
    'src/compose/node.ts': "import { x } from '../bus/mqtt-bus.js';\nimport { y } from '../node/create-node.js';\n",
    'src/cli/main.ts': "import { z } from '../compose/node.js';\nimport { Command } from 'commander';\n",
    'src/index.ts': "export { x } from './bus/mqtt-bus.js';\n",
    'broker/create-broker.ts': "import { x } from '../src/bus/mqtt-bus.js';\n",
  };

  it('in order has no fault', () => {
    expect(findFaults(plant(good))).toEqual([]);
  });

  it('without files is a fault', () => {
    expect(findFaults(new Map())).toEqual(['no source file was seen']);
  });

  it.each([
    {
      path: 'src/protocol/bad.ts',
      source: "import '../core/b.js';",
      fault: /bad.ts \(protocol\) must not import src\/core\/b.ts \(core\)/,
    },
    { path: 'src/protocol/bad.ts', source: "import 'rxjs';", fault: /must not import rxjs/ },
    { path: 'src/protocol/bad.ts', source: "import 'node:fs';", fault: /must not import node:fs/ },
    { path: 'src/core/bad.ts', source: "import type { z } from 'zod';", fault: /must not import zod/ },
    {
      path: 'src/core/bad.ts',
      source: "import type { Bus } from '../bus/bus.js';",
      fault: /must not import src\/bus\/bus.ts \(port\)/,
    },
    {
      path: 'src/core/bad.ts',
      source: "const x: import('../pipelines/c.js').C = 1;",
      fault: /must not import src\/pipelines\/c.ts/,
    },
    {
      path: 'src/core/bad.ts',
      source: "export * from '../node/create-node.js';",
      fault: /must not import src\/node\/create-node.ts/,
    },
    {
      path: 'src/pipelines/bad.ts',
      source: "import { x } from '../bus/mqtt-bus.js';",
      fault: /must not import src\/bus\/mqtt-bus.ts \(adapter\)/,
    },
    { path: 'src/pipelines/bad.ts', source: "import 'node:fs';", fault: /must not import node:fs/ },
    {
      path: 'src/bus/bus.ts',
      source: "import { part } from './mqtt-part.js';",
      fault: /bus.ts \(port\) must not import src\/bus\/mqtt-part.ts/,
    },
    {
      path: 'src/journal/bad.ts',
      source: "import { part } from '../bus/mqtt-part.js';",
      fault: /bad.ts \(adapter\) must not import/,
    },
    {
      path: 'src/node/bad.ts',
      source: "await import('../bus/mqtt-bus.js');",
      fault: /bad.ts \(node\) must not import/,
    },
    {
      path: 'src/node/bad.ts',
      source: "import '../compose/node.js';",
      fault: /bad.ts \(node\) must not import src\/compose\/node.ts/,
    },
    {
      path: 'src/observe/bad.ts',
      source: "import '../node/create-node.js';",
      fault: /bad.ts \(observe\) must not import/,
    },
    { path: 'src/observe/bad.ts', source: "import '../bus/mqtt-bus.js';", fault: /bad.ts \(observe\) must not import/ },
    { path: 'src/sim/bad.ts', source: "import '../bus/mqtt-bus.js';", fault: /bad.ts \(sim\) must not import/ },
    {
      path: 'src/cli/bad.ts',
      source: "import { x } from '../bus/mqtt-bus.js';",
      fault: /bad.ts \(cli\) must not import/,
    },
    { path: 'src/cli/bad.ts', source: "import '../nowhere.js';", fault: /imports ..\/nowhere.js, which is not there/ },
    { path: 'src/core/bad.ts', source: 'export const now = Date.now();', fault: /bad.ts:1 must not use Date.now/ },
    {
      path: 'src/core/bad.ts',
      source: '/** Why. */\nsetTimeout(() => 1, 1);',
      fault: /bad.ts:2 must not use setTimeout/,
    },
    { path: 'src/protocol/bad.ts', source: 'const x = Math.random();', fault: /must not use Math.random/ },
    { path: 'src/core/bad.ts', source: 'const x = new Date();', fault: /must not use new Date\(\)/ },
    { path: 'src/core/bad.ts', source: 'const x = process.env;', fault: /must not use process.env/ },
    { path: 'src/core/bad.ts', source: 'x;\n'.repeat(251), fault: /bad.ts has 251 lines, 250 at most/ },
    { path: 'broker/bad.ts', source: 'x;\n'.repeat(251), fault: /bad.ts has 251 lines/ },
    {
      path: 'src/core/bad.ts',
      source: 'export interface part {}',
      fault: /mqtt-part.ts and src\/core\/bad.ts both export part/,
    },
    {
      path: 'broker/bad.ts',
      source: 'export async function a(): void {}',
      fault: /a.ts and broker\/bad.ts both export a/,
    },
    {
      path: 'src/core/bad.ts',
      source: `export function bad(): void {\n${'  x;\n'.repeat(59)}}\n`,
      fault: /bad.ts:1 has a function of 61 lines, 60 at most/,
    },
    {
      path: 'broker/bad.ts',
      source: `const bad = {\n  now() {\n${'    x;\n'.repeat(59)}  },\n};\n`,
      fault: /bad.ts:2 has a function of 61 lines/,
    },
    { path: 'src/core/utils.ts', source: '', fault: /utils.ts has a name that says nothing/ },
    { path: 'src/core/index.ts', source: '', fault: /index.ts has a name that says nothing/ },
    { path: 'src/core/BadName.ts', source: '', fault: /must have a name in kebab-case/ },
    { path: 'src/lost.ts', source: '', fault: /lost.ts is in no layer/ },
    { path: 'src/elsewhere/lost.ts', source: '', fault: /lost.ts is in no layer/ },
  ])('with $path has the one fault $fault', ({ path, source, fault }) => {
    expect(findFaults(plant({ ...good, [path]: source }))).toEqual([expect.stringMatching(fault)]);
  });

  it('with a cycle has a fault, also when types close it', () => {
    const faults = findFaults(
      plant({
        'src/core/a.ts': "import { b } from './b.js';",
        'src/core/b.ts': "export { c } from './c.js';",
        'src/core/c.ts': "import type { A } from './a.js';",
        'src/core/self.ts': "import './self.js';",
      }),
    );
    expect(faults).toEqual([
      'import cycle: src/core/a.ts → src/core/b.ts → src/core/c.ts → src/core/a.ts',
      'import cycle: src/core/self.ts → src/core/self.ts',
    ]);
  });

  it('with names that are handed on, or the library repeats, has no fault', () => {
    const again = "export { part } from './bus/mqtt-part.js';\nexport const part = 1;\n";
    expect(findFaults(plant({ ...good, 'src/index.ts': again }))).toEqual([]);
    expect(
      findFaults(plant({ ...good, 'src/compose/part.ts': "export { part } from '../bus/mqtt-part.js';" })),
    ).toEqual([]);
  });

  it('with 60 lines in a function has no fault, however long its table or its program is', () => {
    const lines = (text: string, count: number): string => `${text}\n`.repeat(count);
    for (const body of [
      lines('  x;', 58),
      `  return {\n${lines('    x,', 99)}  };\n`,
      `  run(\`\n${lines('x', 99)}\`);\n`,
    ])
      expect(findFaults(plant({ 'src/core/a.ts': `export function a(): void {\n${body}}\n` }))).toEqual([]);
  });

  it('with a comment of more than 120 characters has a fault, wherever the comment is', () => {
    const [fits, long] = [120, 121].map((length) => `x; ${'// '.padEnd(length - 3, 'y')}`);
    const block = `/**\n${' * '.padEnd(121, 'y')}\n */\n`;
    const shell = `const program = \`\n${'# '.padEnd(121, 'y')}\n\`;\n`;
    expect(findLongComments(plant({ 'src/core/a.ts': `${fits}\n`, 'broker/a.ts': shell }))).toEqual([]);
    expect(findLongComments(plant({ 'src/core/a.ts': `\n${long}\n`, 'broker/a.ts': block }))).toEqual([
      'src/core/a.ts:2 has a comment of 121 characters, 120 at most',
      'broker/a.ts:2 has a comment of 121 characters, 120 at most',
    ]);
  });

  it('with 250 lines in a file and a comment on the clock has no fault', () => {
    expect(findFaults(plant({ 'src/core/a.ts': 'x;\n'.repeat(250) }))).toEqual([]);
    expect(findFaults(plant({ 'src/core/a.ts': '/** Never Date.now(). */\nx; // nor setTimeout\n' }))).toEqual([]);
  });
});

function readTree(): SourceTree {
  const paths = globSync(['src/**/*.ts', 'broker/**/*.ts', 'bench/**/*.ts', 'demo/**/*.ts'], { cwd: ROOT }).toSorted();
  return new Map(paths.map((path) => [path, readFileSync(new URL(path, `file://${ROOT}`), 'utf8')]));
}

function plant(files: Readonly<Record<string, string>>): SourceTree {
  return new Map(Object.entries(files));
}
