/**
 * Bundles the compiled program: `dist/bin/tritmesh.js` is the thin path as one CommonJS file, which Node.js loads
 * fastest; `dist/program` is everything else, one file for what every command needs and one for each command, in place
 * of some 450 modules. The library and the tests use the modules themselves.
 */
import { rm, writeFile } from 'node:fs/promises';
import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';

const path = (name) => fileURLToPath(new URL(`../dist/${name}`, import.meta.url));
const root = fileURLToPath(new URL('..', import.meta.url));
// Names stay, so that a stack trace can be read.
const minify = { compress: true, mangle: false, codegen: { removeWhitespace: true } };

/** Writes a bundle into a folder of `dist` and returns which module is in which file. */
async function write(folder, input, output) {
  await rm(path(folder), { recursive: true, force: true });
  const bundle = await rolldown({
    platform: 'node',
    onLog: (level, log) => {
      // A module that one file imports when needed may be needed at once by another.
      if (log.code === 'INEFFECTIVE_DYNAMIC_IMPORT') return;
      throw new Error(`${level}: ${log.message}`);
    },
    ...input,
  });
  const { output: chunks } = await bundle.write({ dir: path(folder), entryFileNames: '[name].js', minify, ...output });
  await bundle.close();
  return chunks.map(({ fileName, moduleIds = [] }) => [
    `${folder}/${fileName}`,
    moduleIds.map((id) => relative(root, id)),
  ]);
}

const program = await write(
  'program',
  {
    input: { whole: path('src/cli/whole.js'), 'simulate-worker': path('src/cli/commands/simulate-worker.js') },
    // They look for compiled or optional parts next to their own files.
    external: [/^level$/, /^classic-level/, /^aedes-persistence-level/, /^ws$/],
  },
  { format: 'esm', chunkFileNames: '[name]-[hash].js' },
);
const thin = await write(
  'bin',
  {
    input: { tritmesh: path('src/cli/main.js') },
    plugins: [
      {
        name: 'whole program',
        resolveId: (id) => (id === './whole.js' ? { id: '../program/whole.js', external: true } : undefined),
      },
    ],
  },
  { format: 'cjs' },
);
await writeFile(path('bin/package.json'), '{ "type": "commonjs" }\n');

// The supervisor is a file of its own: a small process starts fast and forks fast.
const supervisor = await rolldown({ input: path('src/run/supervisor/program/main.js'), platform: 'node' });
await supervisor.write({ file: path('bin/supervisor.cjs'), format: 'cjs', minify: { mangle: false } });
await supervisor.close();

// For the test that a command loads no more than it needs.
await writeFile(path('modules.json'), JSON.stringify(Object.fromEntries([...program, ...thin]), undefined, 1));
