/**
 * Bundles the compiled program into `dist/bin`: one file for what every command needs and one for each command, in place
 * of some 450 modules. That halves the processor time of a start. The library and the tests use the modules themselves.
 */
import { rm, writeFile } from 'node:fs/promises';
import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';

const path = (name) => fileURLToPath(new URL(`../dist/${name}`, import.meta.url));

const output = path('bin');
await rm(output, { recursive: true, force: true });
const bundle = await rolldown({
  input: { tritmesh: path('src/cli/main.js'), 'simulate-worker': path('src/cli/commands/simulate-worker.js') },
  platform: 'node',
  // They look for compiled or optional parts next to their own files.
  external: [/^level$/, /^classic-level/, /^aedes-persistence-level/, /^ws$/],
  onLog: (level, log) => {
    throw new Error(`${level}: ${log.message}`);
  },
});
const { output: chunks } = await bundle.write({
  dir: output,
  format: 'esm',
  entryFileNames: '[name].js',
  chunkFileNames: '[name]-[hash].js',
  // Names stay, so that a stack trace can be read.
  minify: { compress: true, mangle: false, codegen: { removeWhitespace: true } },
});
await bundle.close();

// The supervisor is a file of its own: a small process starts fast and forks fast.
const supervisor = await rolldown({ input: path('src/run/supervisor/program/main.js'), platform: 'node' });
await supervisor.write({ file: path('bin/supervisor.cjs'), format: 'cjs', minify: { mangle: false } });
await supervisor.close();

// Which module is in which file, for the test that a command loads no more than it needs.
const root = fileURLToPath(new URL('..', import.meta.url));
const modules = chunks.map(({ fileName, moduleIds = [] }) => [fileName, moduleIds.map((id) => relative(root, id))]);
await writeFile(path('bin/modules.json'), JSON.stringify(Object.fromEntries(modules), undefined, 1));
