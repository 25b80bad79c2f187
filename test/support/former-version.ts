/**
 * Earlier versions: the present one must work with the previous one in one mesh and resume the state directories of
 * all of them. They are taken from git, compiled with this checkout's compiler, and cached below `.tmp/`.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { requirement } from './requirements.js';

/** The commits of earlier versions. Change the previous one with each release. */
const COMMITS = {
  previous: 'ee6625935a66656ab23c7089289419358a463815',
  /** The last one whose state directories declare no format. */
  unmarked: 'eb174949acf5c7a242b28df446049a39d386c2b7',
} as const;

/** The name of an earlier version. */
export type EarlierVersion = keyof typeof COMMITS;

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
/** The paths needed to compile and start it. */
const PARTS = ['src', 'broker', 'bench', 'package.json', 'package-lock.json', 'tsconfig.json', 'tsconfig.build.json'];

/** Whether the earlier versions are available; otherwise tests are skipped or fail, see test/support/requirements.ts. */
export function hasEarlierVersions(): boolean {
  const commits = Object.values(COMMITS);
  const isThere = commits.every((commit) => git('cat-file', '-e', `${commit}^{commit}`).status === 0);
  return requirement(
    `git and the commits ${commits.map((commit) => commit.slice(0, 7)).join(' and ')}`,
    isThere,
    'run the tests in a full clone (git fetch --unshallow)',
  );
}

/** Builds it unless it is cached, and returns the path of its program. Concurrent builds are safe. */
export function makeEarlierVersion(version: EarlierVersion): string {
  const commit = COMMITS[version];
  const place = join(ROOT, '.tmp', 'former', commit);
  const main = join('dist', 'src', 'cli', 'main.js');
  if (existsSync(place)) return join(place, main);
  const draft = `${place}.${process.pid}`;
  rmSync(draft, { recursive: true, force: true });
  mkdirSync(draft, { recursive: true });
  try {
    const archive = git('archive', '--format=tar', commit, ...PARTS);
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
