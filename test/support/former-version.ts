/**
 * The previous version: the present one must work with it in one mesh and resume its state directories. It is taken
 * from git, compiled with this checkout's compiler, and cached below `.tmp/`.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { requirement } from './requirements.js';

/** The commit of the previous version. Change this line with each release. */
const FORMER_COMMIT = 'eb174949acf5c7a242b28df446049a39d386c2b7';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
/** The paths needed to compile and start it. */
const PARTS = ['src', 'broker', 'bench', 'package.json', 'package-lock.json', 'tsconfig.json', 'tsconfig.build.json'];

/** Whether the previous version is available; otherwise tests are skipped or fail, see test/support/requirements.ts. */
export function hasFormerVersion(): boolean {
  const isThere = git('cat-file', '-e', `${FORMER_COMMIT}^{commit}`).status === 0;
  return requirement(
    `git and the commit ${FORMER_COMMIT.slice(0, 7)}`,
    isThere,
    'run the tests in a full clone (git fetch --unshallow)',
  );
}

/** Builds it unless it is cached, and returns the path of its program. Concurrent builds are safe. */
export function makeFormerVersion(): string {
  const place = join(ROOT, '.tmp', 'former', FORMER_COMMIT);
  const main = join('dist', 'src', 'cli', 'main.js');
  if (existsSync(place)) return join(place, main);
  const draft = `${place}.${process.pid}`;
  rmSync(draft, { recursive: true, force: true });
  mkdirSync(draft, { recursive: true });
  try {
    const archive = git('archive', '--format=tar', FORMER_COMMIT, ...PARTS);
    if (archive.status !== 0) throw new Error(`git archive: ${archive.stderr.toString()}`);
    execFileSync('tar', ['-x', '-C', draft], { input: archive.stdout });
    bringPackages(draft);
    // Its types were checked when it was committed, against packages that may have changed since.
    const compiler = join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc');
    execFileSync(process.execPath, [compiler, '-p', 'tsconfig.build.json', '--noCheck'], { cwd: draft });
    tryRename(draft, place);
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
  return join(place, main);
}

/** The format of the state directories that it writes; 1 if it does not declare one. */
export function readFormerFormat(): number {
  const { status, stdout } = git('show', `${FORMER_COMMIT}:src/journal/state-format.ts`);
  return status === 0 ? Number(/STATE_FORMAT = (\d+)/.exec(stdout.toString())?.[1]) : 1;
}

/** Installs its packages, or links this checkout's if they are the same. */
function bringPackages(directory: string): void {
  const [theirs, ours] = [directory, ROOT].map((place) => listPackages(join(place, 'package-lock.json')));
  if (theirs === ours) return symlinkSync(join(ROOT, 'node_modules'), join(directory, 'node_modules'));
  execFileSync('npm', ['ci', '--omit=dev', '--ignore-scripts', '--no-audit', '--no-fund'], { cwd: directory });
}

/** The packages that a program loads, with their versions, as comparable text. */
function listPackages(lockFile: string): string {
  const { packages } = JSON.parse(readFileSync(lockFile, 'utf8')) as {
    readonly packages: Readonly<Record<string, { readonly version?: string; readonly dev?: boolean }>>;
  };
  const loaded = Object.entries(packages).filter(([path, { dev }]) => path !== '' && dev !== true);
  return loaded.map(([path, { version }]) => `${path}@${version ?? ''}`).join('\n');
}

function tryRename(from: string, to: string): void {
  try {
    renameSync(from, to);
  } catch (error) {
    // Another test was first: a non-empty directory is not replaced.
    if (!existsSync(to)) throw error;
  }
}

function git(...args: readonly string[]): { readonly status: number | null; stdout: Buffer; stderr: Buffer } {
  return spawnSync('git', ['-C', ROOT, ...args], { maxBuffer: 256 * 1024 * 1024 });
}
