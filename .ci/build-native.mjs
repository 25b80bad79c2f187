/**
 * Compiles the C supervisor. `node .ci/build-native.mjs` builds it for this machine into dist/native, as part of `npm run
 * build`: without a C compiler, or elsewhere than on Linux, it does nothing, since the Node.js program does the same.
 * `node .ci/build-native.mjs release` builds what the packed package carries, for x64 and arm64, and fails if it cannot.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const NAME = 'tritmesh-supervisor';
const BUILT = join(ROOT, 'dist', 'native', `${process.platform}-${process.arch}`);
const SOURCES = ['supervisor.c', 'text.c', 'log.c', 'launch.c', 'processes.c', 'leftovers.c'].map((name) =>
  join(ROOT, 'native', name),
);
const FLAGS = ['-std=gnu11', '-O2', '-s', '-Wall', '-Wextra', '-Werror'];
/** Compilers for the machines that a release is for. */
const TARGETS = {
  'linux-x64': ['x86_64-linux-gnu-gcc', 'cc'],
  'linux-arm64': ['aarch64-linux-gnu-gcc'],
};

/** Returns what is wrong, or `undefined`. A compiler without static libraries links as it can, if that is allowed. */
function compile(compiler, target, more, isStaticOnly) {
  mkdirSync(dirname(target), { recursive: true });
  const draft = `${target}.${process.pid}`;
  let fault;
  for (const link of isStaticOnly ? [['-static']] : [['-static'], []]) {
    try {
      execFileSync(compiler, [...FLAGS, ...more, ...link, ...SOURCES, '-o', draft], {
        stdio: ['ignore', 'ignore', 'pipe'],
      });
      renameSync(draft, target);
      return undefined;
    } catch (error) {
      fault = error.stderr?.toString() || error.message;
    }
  }
  rmSync(draft, { force: true });
  return fault;
}

function release() {
  for (const [machine, compilers] of Object.entries(TARGETS)) {
    const target = join(ROOT, 'native/prebuilt', machine, NAME);
    const usable = compilers.filter((one) => one !== 'cc' || machine === `linux-${process.arch}`);
    const faults = [];
    const isBuilt = usable.some((compiler) => {
      const fault = compile(compiler, target, [], true);
      if (fault !== undefined) faults.push(`${compiler}: ${fault.trim()}`);
      return fault === undefined;
    });
    if (!isBuilt) throw new Error(`the supervisor for ${machine} could not be built:\n${faults.join('\n')}`);
    process.stdout.write(`built ${target}\n`);
  }
}

if (process.argv[2] === 'release') release();
else if (process.platform === 'linux') {
  // With clocks that tests can set, where no package takes it from.
  if (process.argv[2] === 'test')
    compile('cc', join(ROOT, '.tmp', 'native', `${NAME}-test`), ['-DTRITMESH_TEST_CLOCK'], false);
  else compile('cc', join(BUILT, NAME), [], false);
}
