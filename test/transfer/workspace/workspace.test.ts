import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  watch,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import * as fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import type { Command } from '../../../src/protocol/item.js';
import type { Bundle, Contents, Outcome, Workspace } from '../../../src/transfer/transfer.js';
import { createWorkspace } from '../../../src/transfer/workspace/workspace.js';
import { temporaryDirectories } from '../../support/temporary-directory.js';
import { bundleFiles, ended, readFiles, succeeded, writeFiles } from '../../support/transfer-steps.js';

const command: Command = { argv: ['true'], env: {}, outputs: [], migrate: 'never' };
const newDirectory = temporaryDirectories();
let stateDir: string;
let user: string;
let workspace: Workspace;

beforeEach(() => {
  [stateDir, user] = [newDirectory(), newDirectory()];
  workspace = createWorkspace(stateDir);
});

function stage(...inputs: readonly string[]): Promise<Bundle> {
  return succeeded((done) => workspace.stage('item-1', inputs, undefined, done));
}

function stageBadly(...inputs: readonly string[]): Promise<Outcome<Bundle>> {
  return ended((done) => workspace.stage('item-1', inputs, undefined, done));
}

function collect(globs: readonly string[], everything = false): Promise<Bundle> {
  return succeeded((done) => workspace.collect(guest(), globs, everything, done));
}

function place(destination?: string): Promise<Outcome<undefined>> {
  return ended((done) => workspace.place('item-1', 1, destination, done));
}

function adopt(): Promise<Outcome<Contents>> {
  return ended((done) => workspace.adoptGuest('alpha', 'item-1', 1, done));
}

function guest(): string {
  return workspace.guestDirectory('alpha', 'item-1', 1);
}

function home(): string {
  return workspace.homeDirectory('item-1', 1);
}

function paths(bundle: Bundle): readonly string[] {
  return bundle.manifest.files.map((file) => file.path);
}

function waitUntilGone(path: string): Promise<void> {
  return new Promise((resolve) => {
    if (!existsSync(dirname(path))) return resolve();
    const watcher = watch(dirname(path), check);
    function check(): void {
      if (existsSync(path)) return;
      watcher.close();
      resolve();
    }
    check();
  });
}

describe('stage', () => {
  it('touches no disk for an item without inputs, and keeps the command in the manifest', async () => {
    const bundle = await succeeded<Bundle>((done) => workspace.stage('item-1', [], command, done));
    expect(bundle).toMatchObject({ bytes: 0, count: 0, manifest: { files: [], directories: [], command } });
    expect(readFiles(stateDir)).toEqual({});
  });

  it('copies files and directories under their base names, with modes and empty directories', async () => {
    writeFiles(user, { 'data.csv': 'a,b', 'tree/deep/x.txt': 'x', 'tree/.hidden': 'h', 'tree/größe 🎉': 'u' });
    mkdirSync(join(user, 'tree/void'));
    chmodSync(join(user, 'data.csv'), 0o640);
    chmodSync(join(user, 'tree/deep/x.txt'), 0o4755);
    const bundle = await stage(join(user, 'data.csv'), `${join(user, 'tree')}/`);
    const expected = bundleFiles(newDirectory(), {
      'data.csv': 'a,b',
      'tree/.hidden': 'h',
      'tree/deep/x.txt': 'x',
      'tree/größe 🎉': 'u',
    });
    const modes = [0o640, 0o644, 0o755, 0o644];
    expect(bundle.manifest.files).toEqual(expected.manifest.files.map((file, at) => ({ ...file, mode: modes[at] })));
    expect(bundle.manifest.directories).toEqual(['tree/void']);
    rmSync(user, { recursive: true });
    expect(readFiles(bundle.root)['tree/deep/x.txt']).toBe('x');
    const again = await succeeded<Bundle>((done) => workspace.restage('item-1', undefined, false, done));
    expect(again).toEqual(bundle);
  });

  it('copies a link as the file or directory it points to inside its input', async () => {
    writeFiles(user, { 'tree/lib/real.so': 'so' });
    symlinkSync('lib/real.so', join(user, 'tree/link.so'));
    symlinkSync('lib', join(user, 'tree/lib64'));
    symlinkSync('tree', join(user, 'alias'));
    const bundle = await stage(join(user, 'alias'));
    expect(readFiles(bundle.root)).toEqual({
      'alias/lib/real.so': 'so',
      'alias/link.so': 'so',
      'alias/lib64/real.so': 'so',
    });
  });

  it.each<[string, () => readonly string[], RegExp]>([
    ['does not exist', () => [join(user, 'absent')], /input .*absent does not exist/],
    ['has the name of another', () => [file('a/x'), file('b/x')], /a\/x and .*b\/x are both named x/],
    ['holds a link that leads out', () => linked('/etc/hosts'), /tree\/link is a symbolic link that leads out/],
    ['holds a link that leads nowhere', () => linked('nowhere'), /tree\/link is a symbolic link that leads nowhere/],
    ['holds a link in a circle', () => linked('.'), /tree\/link is a symbolic link that goes in a circle/],
    ['is a pipe', () => [pipe('pipe')], /pipe is neither a file nor a directory/],
    ['holds a pipe', () => [dirname(pipe('tree/pipe'))], /tree\/pipe is neither a file nor a directory/],
    ['is a device', () => ['/dev/null'], /\/dev\/null is neither a file nor a directory/],
    ['is the root', () => ['/'], /has no name of its own/],
    ['has a backslash in its name', () => [file('a\\b')], /cannot travel/],
  ])('refuses an input that %s, by name, and leaves nothing', async (_what, makeInputs, reason) => {
    const result = await stageBadly(...makeInputs());
    expect(result).toMatchObject({ ok: false, final: true });
    expect(result.ok ? '' : result.reason).toMatch(reason);
    await waitUntilGone(join(stateDir, 'items/item-1/in.new'));
    expect(existsSync(join(stateDir, 'items/item-1/in'))).toBe(false);
  });

  it('replaces what was staged before', async () => {
    writeFiles(user, { 'one.txt': '1', 'two.txt': '2' });
    await stage(join(user, 'one.txt'));
    expect(paths(await stage(join(user, 'two.txt')))).toEqual(['two.txt']);
  });

  it('copies many files', async () => {
    writeFiles(
      user,
      Object.fromEntries(Array.from({ length: 500 }, (_none, at) => [`tree/d${at % 7}/f${at}`, `${at}`])),
    );
    const bundle = await stage(join(user, 'tree'));
    expect(bundle.count).toBe(500);
    expect(paths(bundle).toSorted()).toEqual([...paths(bundle)].toSorted());
  });
});

describe('restage', () => {
  it('describes nothing when nothing was staged', async () => {
    const bundle = await succeeded<Bundle>((done) => workspace.restage('item-1', command, false, done));
    expect(bundle).toMatchObject({ count: 0, manifest: { command } });
  });
});

describe('collect', () => {
  it('gives an empty bundle for a guest that left nothing, or is not there', async () => {
    expect(await collect(['*.txt'])).toMatchObject({ count: 0, bytes: 0 });
    writeFiles(guest(), { stdout: '', stderr: '' });
    expect(await collect([])).toMatchObject({ count: 0, bytes: 0, manifest: { files: [], directories: [] } });
  });

  it('takes what is not empty of stdout and stderr, and what the globs match below work/', async () => {
    writeFiles(guest(), {
      stdout: 'out',
      stderr: '',
      pid: '1',
      'work/a.txt': 'a',
      'work/b.log': 'b',
      'work/.c.txt': 'c',
      'work/deep/d.txt': 'd',
    });
    expect(paths(await collect(['*.txt']))).toEqual(['stdout', 'work/a.txt']);
    expect(paths(await collect(['**/*.txt', '.c*']))).toEqual([
      'stdout',
      'work/.c.txt',
      'work/a.txt',
      'work/deep/d.txt',
    ]);
    expect(paths(await collect(['deep']))).toEqual(['stdout', 'work/deep/d.txt']);
    expect(paths(await collect([], true))).toEqual([
      'stdout',
      'work/.c.txt',
      'work/a.txt',
      'work/b.log',
      'work/deep/d.txt',
    ]);
  });

  it('takes a glob that is the name of a file for that file', async () => {
    writeFiles(guest(), { 'work/a(1) [x].txt': 'a' });
    expect(paths(await collect(['a(1) [x].txt']))).toEqual(['work/a(1) [x].txt']);
  });

  it('follows links only inside work/', async () => {
    const outside = newDirectory();
    writeFiles(outside, { 'secret.txt': 'secret' });
    writeFiles(guest(), { 'work/real.txt': 'real', 'secret.txt': 'launcher' });
    symlinkSync('real.txt', join(guest(), 'work/in.txt'));
    symlinkSync(join(outside, 'secret.txt'), join(guest(), 'work/out.txt'));
    symlinkSync('../secret.txt', join(guest(), 'work/up.txt'));
    symlinkSync(outside, join(guest(), 'work/dir'));
    symlinkSync('/etc/hosts', join(guest(), 'stdout'));
    symlinkSync('.', join(guest(), 'work/circle'));
    for (const bundle of [await collect(['**', '**/*.txt', 'dir/secret.txt', 'out.txt']), await collect([], true)]) {
      expect(paths(bundle)).toEqual(['work/in.txt', 'work/real.txt']);
    }
  });

  it('goes through a link to a directory inside work/', async () => {
    writeFiles(guest(), { 'work/lib/real.so': 'so' });
    symlinkSync('lib', join(guest(), 'work/lib64'));
    for (const bundle of [await collect(['lib*/*.so']), await collect([], true)]) {
      expect(paths(bundle)).toEqual(['work/lib/real.so', 'work/lib64/real.so']);
    }
  });

  it('names the empty directories when everything is carried', async () => {
    mkdirSync(join(guest(), 'work/void'), { recursive: true });
    expect((await collect([], true)).manifest.directories).toEqual(['work/void']);
  });
});

describe('place', () => {
  it('puts work/ into the destination and the streams into the item', async () => {
    writeFiles(home(), { stdout: 'out', 'work/a.txt': 'new', 'work/deep/b.sh': '#!' });
    chmodSync(join(home(), 'work/deep/b.sh'), 0o750);
    mkdirSync(join(home(), 'work/void'));
    const destination = join(user, 'results');
    writeFiles(destination, { 'a.txt': 'old', 'keep.txt': 'kept' });
    for (let round = 0; round < 2; round += 1) expect(await place(destination)).toEqual({ ok: true, value: undefined });
    expect(readFiles(destination)).toEqual({ 'a.txt': 'new', 'deep/b.sh': '#!', 'keep.txt': 'kept', 'void/': '' });
    expect(statSync(join(destination, 'deep/b.sh')).mode & 0o777).toBe(0o750);
    expect(readFileSync(join(stateDir, 'items/item-1/stdout'), 'utf8')).toBe('out');
  });

  it('does not keep the stream of an earlier epoch for a later one that has none', async () => {
    writeFiles(home(), { stdout: 'first' });
    await place();
    mkdirSync(workspace.homeDirectory('item-1', 2));
    await succeeded((done) => workspace.place('item-1', 2, undefined, done));
    expect(existsSync(join(stateDir, 'items/item-1/stdout'))).toBe(false);
  });

  it('makes no destination when nothing came', async () => {
    mkdirSync(home(), { recursive: true });
    expect((await place(join(user, 'results'))).ok).toBe(true);
    expect(existsSync(join(user, 'results'))).toBe(false);
  });

  it('replaces a link by the file, goes through a destination that is a link, and follows links inside it', async () => {
    writeFiles(home(), { 'work/a.txt': 'new', 'work/sub/b.txt': 'b' });
    const outside = newDirectory();
    writeFiles(outside, { 'victim.txt': 'precious' });
    mkdirSync(join(user, 'real/target'), { recursive: true });
    symlinkSync('real', join(user, 'results'));
    symlinkSync(join(outside, 'victim.txt'), join(user, 'real/a.txt'));
    symlinkSync('target', join(user, 'real/sub'));
    expect(await place(join(user, 'results'))).toEqual({ ok: true, value: undefined });
    expect(readFiles(outside)).toEqual({ 'victim.txt': 'precious' });
    expect(lstatSync(join(user, 'real/a.txt')).isSymbolicLink()).toBe(false);
    expect(readFileSync(join(user, 'real/target/b.txt'), 'utf8')).toBe('b');
  });

  it.each<[string, (destination: string) => void, RegExp]>([
    ['a link that leads out', (to) => symlinkSync(newDirectory(), join(to, 'sub')), /sub is in the way.*leads out/],
    ['a file where a directory belongs', (to) => writeFileSync(join(to, 'sub'), 'mine'), /sub is in the way/],
    [
      'a directory where a file belongs',
      (to) => mkdirSync(join(to, 'sub/b.txt/x'), { recursive: true }),
      /b\.txt is in the way/,
    ],
  ])('refuses %s, by name, and leaves no draft', async (_what, prepare, reason) => {
    writeFiles(home(), { 'work/sub/b.txt': 'b' });
    prepare(user);
    const before = readFiles(user);
    const result = await place(user);
    expect(result).toMatchObject({ ok: false, final: true });
    expect(result.ok ? '' : result.reason).toMatch(reason);
    expect(readFiles(user)).toEqual(before);
  });
});

describe('carry', () => {
  it('makes what came home the new input, once, however often it is called', async () => {
    writeFiles(user, { 'in.txt': 'first' });
    await stage(join(user, 'in.txt'));
    writeFiles(home(), { stdout: 'x', 'work/in.txt': 'second', 'work/state.bin': 's' });
    for (let round = 0; round < 2; round += 1) {
      await succeeded((done) => workspace.carry('item-1', 1, false, done));
      const bundle = await succeeded<Bundle>((done) => workspace.restage('item-1', undefined, false, done));
      expect(readFiles(bundle.root)).toEqual({ 'in.txt': 'second', 'state.bin': 's' });
      expect(bundle.count).toBe(2);
    }
  });

  it('goes on from a crash between its two moves', async () => {
    writeFiles(home(), { 'work/state.bin': 's' });
    writeFiles(join(stateDir, 'items/item-1'), { 'carried-1': '', 'in.old/in.txt': 'first' });
    await succeeded((done) => workspace.carry('item-1', 1, false, done));
    expect(readFiles(join(stateDir, 'items/item-1/in'))).toEqual({ 'state.bin': 's' });
  });

  it('carries an empty directory when the run left no file, and refuses when nothing came home', async () => {
    writeFiles(user, { 'in.txt': 'first' });
    await stage(join(user, 'in.txt'));
    expect(await ended((done) => workspace.carry('item-1', 1, false, done))).toMatchObject({ ok: false, final: true });
    mkdirSync(home(), { recursive: true });
    await succeeded((done) => workspace.carry('item-1', 1, false, done));
    const bundle = await succeeded<Bundle>((done) => workspace.restage('item-1', undefined, false, done));
    expect(bundle.count).toBe(0);
  });
});

describe('adoptGuest', () => {
  it('brings home what was collected and nothing else, also in a second life and a second time', async () => {
    writeFiles(guest(), {
      stdout: 'out',
      stderr: '',
      launcher: 'x',
      'work/in.txt': 'in',
      'work/out.txt': 'o',
      'work/deep/p.txt': 'p',
    });
    symlinkSync('out.txt', join(guest(), 'work/link.txt'));
    await collect(['out.txt', 'deep', 'link.txt']);
    workspace = createWorkspace(stateDir);
    for (let round = 0; round < 2; round += 1) {
      expect(await adopt()).toMatchObject({ ok: true, value: { files: [{ path: 'stdout' }, {}, {}, {}] } });
      expect(readFiles(home())).toEqual({
        stdout: 'out',
        'work/out.txt': 'o',
        'work/deep/p.txt': 'p',
        'work/link.txt': 'o',
      });
    }
    expect(lstatSync(join(home(), 'work/link.txt')).isSymbolicLink()).toBe(false);
  });

  it('brings only the streams when no output was collected', async () => {
    writeFiles(guest(), { stderr: 'oops', 'work/in.txt': 'in' });
    await collect(['*.out']);
    expect((await adopt()).ok).toBe(true);
    expect(readFiles(home())).toEqual({ stderr: 'oops' });
  });

  it('brings what was collected of files that have grown since, and what grows on later stays away', async () => {
    writeFiles(guest(), { stdout: 'out', 'work/made': 'made', 'work/empty': '' });
    await collect(['made', 'empty']);
    for (const name of ['stdout', 'stderr', 'work/made', 'work/empty'])
      writeFileSync(join(guest(), name), ' and more', { flag: 'a' });
    expect(await adopt()).toMatchObject({ ok: true });
    expect(readFiles(home())).toEqual({ stdout: 'out', 'work/made': 'made', 'work/empty': '' });
    writeFileSync(join(guest(), 'work/made'), ' and more', { flag: 'a' });
    expect(readFiles(home())['work/made']).toBe('made');
  });

  it('says so when the guest is gone', async () => {
    expect(await adopt()).toMatchObject({ ok: false, final: true });
  });
});

describe('resealImage', () => {
  const reseal = (contents: Contents): Promise<Outcome<Bundle>> =>
    ended((done) => workspace.resealImage('item-1', contents, command, done));

  it('describes a carried image as hashing it would, by what came home', async () => {
    writeFiles(guest(), { stdout: 'out', stderr: '', 'work/deep/in.txt': 'in', 'image/pages-1.img': 'memory' });
    await collect([], true);
    const contents = await succeeded<Contents>((done) => workspace.adoptGuest('alpha', 'item-1', 1, done));
    await succeeded((done) => workspace.carry('item-1', 1, true, done));
    const hashed = await succeeded<Bundle>((done) => workspace.restage('item-1', command, true, done));
    const known = await reseal(contents);
    expect(known).toMatchObject({ ok: true, value: { root: hashed.root, bytes: hashed.bytes, count: hashed.count } });
    const paths = ({ files }: Contents): readonly string[] =>
      files.map(({ path, sha256 }) => `${path} ${sha256}`).toSorted();
    expect(known.ok && paths(known.value.manifest)).toEqual(paths(hashed.manifest));
    const other = contents.files.map((file) => ({ ...file, size: file.size + 1 }));
    expect(await reseal({ ...contents, files: other })).toMatchObject({ ok: false });
    expect(
      await reseal({ ...contents, files: [{ path: 'image/gone', size: 1, mode: 0o600, sha256: '' }] }),
    ).toMatchObject({ ok: false });
  });
});

describe('removing', () => {
  it('takes the guest, the staged files or everything of an item', async () => {
    writeFiles(user, { 'in.txt': 'first' });
    await stage(join(user, 'in.txt'));
    writeFiles(home(), { 'work/out.txt': 'o' });
    writeFiles(guest(), { stdout: 'out' });
    workspace.removeGuest('alpha', 'item-1', 1);
    await waitUntilGone(guest());
    workspace.removeItem('item-1', false);
    await waitUntilGone(join(stateDir, 'items/item-1/in'));
    expect(readFiles(stateDir)['items/item-1/home/1/work/out.txt']).toBe('o');
    workspace.removeItem('item-1', true);
    await waitUntilGone(join(stateDir, 'items/item-1'));
  });

  it('takes the directory of a guest item with the last epoch of it', async () => {
    writeFiles(guest(), { stdout: 'out' });
    const other = workspace.guestDirectory('alpha', 'item-1', 2);
    writeFiles(other, { stdout: 'out' });
    workspace.removeGuest('alpha', 'item-1', 1);
    await waitUntilGone(guest());
    expect(existsSync(other)).toBe(true);
    workspace.removeGuest('alpha', 'item-1', 2);
    await waitUntilGone(dirname(other));
  });

  it('never builds a path from anything but ids', () => {
    const bad = fc
      .oneof(fc.constantFrom('..', '.', '', '/', 'a/b', 'A', '../../etc'), fc.string())
      .filter((id) => !/^[a-z0-9-]{1,32}$/.test(id));
    fc.assert(
      fc.property(bad, (id) => {
        expect(() => workspace.removeItem(id, true)).toThrow(RangeError);
        expect(() => workspace.removeGuest('alpha', id, 1)).toThrow(RangeError);
        expect(() => workspace.guestDirectory(id, 'item-1', 1)).toThrow(RangeError);
      }),
    );
    for (const epoch of [-1, 1.5, Number.NaN])
      expect(() => workspace.homeDirectory('item-1', epoch)).toThrow(RangeError);
  });
});

function file(path: string): string {
  writeFiles(user, { [path]: path });
  return join(user, path);
}

function pipe(path: string): string {
  mkdirSync(dirname(join(user, path)), { recursive: true });
  execFileSync('mkfifo', [join(user, path)]);
  return join(user, path);
}

function linked(target: string): readonly string[] {
  writeFiles(user, { 'tree/x': 'x' });
  symlinkSync(target, join(user, 'tree/link'));
  return [join(user, 'tree')];
}
