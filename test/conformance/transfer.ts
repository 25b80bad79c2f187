/**
 * What every adapter of the Transfer port must do. Each adapter's test runs this suite.
 */
import {
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
  chmodSync,
  lstatSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import * as fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Manifest, ManifestFile } from '../../src/protocol/manifest.js';
import { encodeManifest, sealBundle } from '../../src/transfer/bundle/manifest-bundle.js';
import type { Bundle, Outcome, Fetched, Transfer } from '../../src/transfer/transfer.js';
import { temporaryDirectories } from '../support/temporary-directory.js';
import { bundleFiles, ended, fetchOnce, makeBytes, readFiles, succeeded } from '../support/transfer-steps.js';

/** A node's transfer, not started yet, and its public key. */
export interface TransferNode {
  readonly transfer: Transfer;
  readonly key: string;
}

const EMPTY_SHA256 = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';

/** Runs the suite; `createNode` creates a node with its own key, on loopback. */
export function testTransfer(name: string, createNode: () => TransferNode): void {
  describe(`transfer: ${name}`, () => {
    const newDirectory = temporaryDirectories();
    let owner: TransferNode;
    let receiver: TransferNode;
    let source: string;
    let target: string;

    beforeEach(async () => {
      [owner, receiver] = [createNode(), createNode()];
      for (const node of [owner, receiver]) await succeeded((done) => node.transfer.start(done));
      [source, target] = [newDirectory(), join(newDirectory(), 'work')];
    });
    afterEach(async () => {
      for (const node of [owner, receiver]) await new Promise<void>((resolve) => node.transfer.close(resolve));
    });

    function share(bundle: Bundle, share = 'alpha/item-1/1/in'): void {
      owner.transfer.share({ share, bundle, peerKey: receiver.key });
    }

    function fetch(bundle: Bundle, share = 'alpha/item-1/1/in', directory = target): Promise<Outcome<Fetched>> {
      const { sha256 } = bundle;
      return fetchOnce(receiver.transfer, {
        share,
        urls: owner.transfer.urls(),
        sha256,
        peerKey: owner.key,
        directory,
      });
    }

    it('transfers files, empty directories, modes, unicode names and the command', async () => {
      const files = { 'a.txt': 'alpha', 'deep/er/b.txt': 'beta', 'empty.txt': '', 'größe/日本語 🎉.txt': 'ü' };
      const command = { argv: ['true'], env: {}, outputs: [], migrate: 'never' as const };
      const plain = bundleFiles(source, files, { directories: ['void/inner'], command }).manifest;
      const modes = [0o644, 0o755, 0o600, 0o400];
      const manifest: Manifest = {
        ...plain,
        files: plain.files.map((file, index) => ({ ...file, mode: modes[index] ?? 0 })),
      };
      const bundle = sealBundle(source, manifest);
      share(bundle);
      const result = await fetch(bundle);
      const { files: listed, directories } = bundle.manifest;
      expect(result).toEqual({
        ok: true,
        value: { command, contents: { files: listed, directories }, bytes: bundle.bytes, count: 4 },
      });
      expect(readFiles(target)).toEqual({ ...files, 'void/inner/': '' });
      const landed = manifest.files.map((file) => statSync(join(target, file.path)).mode & 0o7777);
      expect(landed).toEqual(modes);
    });

    it('transfers an empty bundle', async () => {
      const bundle = sealBundle(source, { files: [], directories: [] });
      share(bundle);
      const contents = { files: [], directories: [] };
      expect(await fetch(bundle)).toEqual({ ok: true, value: { command: undefined, contents, bytes: 0, count: 0 } });
      expect(readFiles(target)).toEqual({});
    });

    it('transfers 1,000 small files', async () => {
      const files = Object.fromEntries(
        Array.from({ length: 1000 }, (_none, index) => [`d${index % 10}/f${index}`, makeBytes(index, index)]),
      );
      const bundle = bundleFiles(source, files);
      share(bundle);
      expect(await fetch(bundle)).toMatchObject({ ok: true, value: { count: 1000, bytes: 499_500 } });
      const same = Object.entries(files).every(([path, bytes]) => readFileSync(join(target, path)).equals(bytes));
      expect(same).toBe(true);
    });

    it('transfers a file of 64 MiB and reports its progress', async () => {
      const bytes = makeBytes(64 * 1024 * 1024);
      const bundle = bundleFiles(source, { 'big.bin': bytes });
      share(bundle);
      const told: (readonly [number, number])[] = [];
      const result = await ended<Fetched>((done) => {
        const { sha256 } = bundle;
        const order = { share: 'alpha/item-1/1/in', urls: owner.transfer.urls(), sha256, peerKey: owner.key };
        receiver.transfer.fetch({ ...order, directory: target, onProgress: (...at) => void told.push(at) }, done);
      });
      expect(result.ok).toBe(true);
      expect(readFileSync(join(target, 'big.bin')).equals(bytes)).toBe(true);
      expect(told.length).toBeGreaterThan(0);
      expect(told.every(([at, total]) => at <= total && total === bytes.length)).toBe(true);
    });

    it('serves two fetches at the same time', async () => {
      const one = bundleFiles(join(source, 'one'), { 'one.bin': makeBytes(3_000_000, 1) });
      const two = bundleFiles(join(source, 'two'), { 'two.bin': makeBytes(3_000_000, 2) });
      share(one, 'alpha/one/1/in');
      share(two, 'alpha/two/1/in');
      const results = await Promise.all([
        fetch(one, 'alpha/one/1/in', join(target, '1')),
        fetch(two, 'alpha/two/1/in', join(target, '2')),
      ]);
      expect(results.map((result) => result.ok)).toEqual([true, true]);
      expect(readFileSync(join(target, '2/two.bin')).equals(makeBytes(3_000_000, 2))).toBe(true);
    });

    it('uses files that are there already, and replaces wrong ones', async () => {
      const bundle = bundleFiles(source, { 'a.txt': 'alpha', 'b.txt': 'beta!', 'c.txt': 'gamma' });
      mkdirSync(target);
      writeFileSync(join(target, 'a.txt'), 'alpha');
      writeFileSync(join(target, 'b.txt'), 'wrong');
      const inode = statSync(join(target, 'a.txt')).ino;
      share(bundle);
      expect((await fetch(bundle)).ok).toBe(true);
      expect(readFiles(target)).toEqual({ 'a.txt': 'alpha', 'b.txt': 'beta!', 'c.txt': 'gamma' });
      expect(statSync(join(target, 'a.txt')).ino).toBe(inode);
    });

    it('serves a share to its peer only, and answers others as if there were no share', async () => {
      const bundle = bundleFiles(source, { 'a.txt': 'alpha' });
      owner.transfer.share({ share: 'alpha/item-1/1/in', bundle, peerKey: owner.key });
      const foreign = await fetch(bundle);
      const absent = await fetch(bundle, 'alpha/other/1/in');
      expect(foreign).toMatchObject({ ok: false, final: true });
      expect(absent).toEqual(foreign);
    });

    it('ends a share with unshare, and replaces it by sharing again', async () => {
      const old = bundleFiles(join(source, 'old'), { 'a.txt': 'old' });
      const fresh = bundleFiles(join(source, 'new'), { 'a.txt': 'new' });
      share(old);
      share(fresh);
      expect(await fetch(old)).toMatchObject({ ok: false, final: true });
      expect((await fetch(fresh)).ok).toBe(true);
      owner.transfer.unshare('alpha/item-1/1/in');
      expect(await fetch(fresh)).toMatchObject({ ok: false, final: true });
    });

    it('does not talk to a peer whose key is not the one in the request', async () => {
      const bundle = bundleFiles(source, { 'a.txt': 'alpha' });
      share(bundle);
      const stranger = { share: 'alpha/item-1/1/in', urls: owner.transfer.urls(), sha256: bundle.sha256 };
      const result = await fetchOnce(receiver.transfer, { ...stranger, peerKey: createNode().key, directory: target });
      expect(result).toMatchObject({ ok: false, final: true });
      expect(result.ok ? '' : result.reason).toContain('another key');
    });

    it('refuses a manifest with another hash for good', async () => {
      const bundle = bundleFiles(source, { 'a.txt': 'alpha' });
      share(bundle);
      const result = await fetch({ ...bundle, sha256: EMPTY_SHA256 });
      expect(result).toMatchObject({ ok: false, final: true });
      expect(result.ok ? '' : result.reason).toContain('sha256');
    });

    it('refuses a file with another hash for good, and leaves nothing of it', async () => {
      const plain = bundleFiles(source, { 'a.txt': 'alpha', 'b.txt': 'beta' }).manifest;
      const files = plain.files.map((file) => (file.path === 'b.txt' ? { ...file, sha256: EMPTY_SHA256 } : file));
      const bundle = sealBundle(source, { ...plain, files });
      share(bundle);
      const result = await fetch(bundle);
      expect(result).toMatchObject({ ok: false, final: true });
      expect(result.ok ? '' : result.reason).toContain('b.txt');
      expect(() => lstatSync(join(target, 'b.txt'))).toThrow('ENOENT');
    });

    it.each([
      ['shrank', (path: string): void => writeFileSync(path, 'a')],
      ['vanished', (path: string): void => rmSync(path)],
      ['became a link out of its directory', replaceByLink],
    ])('reports that a file at the source %s', async (_how, change) => {
      const bundle = bundleFiles(join(source, 'shared'), { 'a.txt': 'alpha' });
      share(bundle);
      change(join(bundle.root, 'a.txt'));
      const result = await fetch(bundle);
      expect(result).toMatchObject({ ok: false, final: true });
      expect(result.ok ? '' : result.reason).toMatch(/a\.txt changed after it was described/);
    });

    it('sends only the described part of a file that has grown since, also in chunks', async () => {
      const head = makeBytes(3 * 1024 * 1024);
      const bundle = bundleFiles(join(source, 'shared'), { 'a.txt': 'alpha', 'log.bin': head, 'z.txt': 'omega' });
      share(bundle);
      for (const name of ['a.txt', 'log.bin']) writeFileSync(join(bundle.root, name), 'more', { flag: 'a' });
      expect(await fetch(bundle)).toMatchObject({ ok: true });
      expect(readFileSync(join(target, 'a.txt'), 'utf8')).toBe('alpha');
      expect(readFileSync(join(target, 'log.bin')).equals(head)).toBe(true);
    });

    it('does not call back after a fetch was abandoned, and can fetch again', async () => {
      const bundle = bundleFiles(source, { 'big.bin': makeBytes(24 * 1024 * 1024) });
      share(bundle);
      const order = {
        share: 'alpha/item-1/1/in',
        urls: owner.transfer.urls(),
        sha256: bundle.sha256,
        peerKey: owner.key,
      };
      let calls = 0;
      await new Promise<void>((resolve) => {
        const abandon = receiver.transfer.fetch(
          {
            ...order,
            directory: target,
            onProgress: () => {
              abandon();
              resolve();
            },
          },
          () => (calls += 1),
        );
      });
      expect((await fetch(bundle, 'alpha/item-1/1/in', `${target}-2`)).ok).toBe(true);
      expect(calls).toBe(0);
    });

    it('writes nothing outside its directory, whatever path a manifest names', async () => {
      const bytes = 'escaped';
      const honest = bundleFiles(source, { 'a.txt': bytes }).manifest.files[0] as ManifestFile;
      const step = fc.constantFrom(
        '..',
        '.',
        '',
        'a',
        '\\',
        '..\\',
        'C:',
        '\0',
        '/',
        '...',
        'a.txt',
        '.tritmesh-parts',
      );
      const path = fc.oneof(
        fc.array(step, { minLength: 1, maxLength: 6 }).map((steps) => steps.join('/')),
        fc.string(),
      );
      const outside = newDirectory();
      const base = join(outside, 'guest');
      let round = 0;
      await fc.assert(
        fc.asyncProperty(path, fc.boolean(), async (hostile, asDirectory) => {
          round += 1;
          const manifest: Manifest = asDirectory
            ? { files: [], directories: [hostile] }
            : { files: [{ ...honest, path: hostile }], directories: [] };
          const bundle = createHostileBundle(source, manifest);
          share(bundle);
          await fetch(bundle, 'alpha/item-1/1/in', join(base, `work-${round}`));
          expect(Object.keys(readFiles(outside)).every((name) => name.startsWith('guest'))).toBe(true);
          expect(Object.keys(readFiles(source))).toEqual(['a.txt']);
        }),
        { numRuns: 60 },
      );
      const names = Object.keys(readFiles(base));
      expect(names.every((name) => /^work-\d+\//.test(name))).toBe(true);
    });

    it('follows no link in its directory', async () => {
      const elsewhere = newDirectory();
      writeFileSync(join(elsewhere, 'victim.txt'), 'precious');
      mkdirSync(target);
      symlinkSync(elsewhere, join(target, 'linked'));
      symlinkSync(join(elsewhere, 'victim.txt'), join(target, 'a.txt'));
      symlinkSync(elsewhere, join(target, '.tritmesh-parts'));
      const files = {
        'a.txt': 'alpha',
        'linked/victim.txt': 'hostile',
        'linked/big.bin': makeBytes(600_000).toString('latin1'),
      };
      const bundle = bundleFiles(source, files);
      share(bundle);
      expect((await fetch(bundle)).ok).toBe(true);
      expect(readFiles(elsewhere)).toEqual({ 'victim.txt': 'precious' });
      expect(readFiles(target)).toEqual(files);
      expect(lstatSync(join(target, 'linked')).isSymbolicLink()).toBe(false);
    });

    it('refuses a manifest that puts a file below a file', async () => {
      const honest = bundleFiles(source, { 'a.txt': 'alpha' }).manifest.files[0] as ManifestFile;
      const bundle = createHostileBundle(source, { files: [honest, { ...honest, path: 'a.txt/b' }], directories: [] });
      share(bundle);
      expect(await fetch(bundle)).toMatchObject({ ok: false, final: true });
    });

    it('fails, but not for good, if its directory cannot be created', async () => {
      const bundle = bundleFiles(source, { 'a.txt': 'alpha' });
      writeFileSync(target, 'a file stands here');
      chmodSync(target, 0o600);
      share(bundle);
      expect(await fetch(bundle)).toMatchObject({ ok: false, final: false });
      expect(readFileSync(target, 'utf8')).toBe('a file stands here');
    });

    function open(sealed: string, bundle: Bundle, share = 'alpha/item-1/1/out'): Promise<Outcome<Fetched>> {
      const { sha256 } = bundle;
      return ended((done) => owner.transfer.open({ share, sealed, sha256, directory: target }, done));
    }

    function seal(bundle: Bundle, share = 'alpha/item-1/1/out'): Promise<string | undefined> {
      return succeeded((done) => receiver.transfer.seal(share, bundle, owner.transfer.sealKey, done));
    }

    it('opens a sealed small bundle with the result of a fetch, over what an earlier one left', async () => {
      const files = { stdout: 'out\n', 'work/deep/a.bin': makeBytes(30_000), 'work/empty': '' };
      const bundle = bundleFiles(source, files, { directories: ['work/void'] });
      const sealed = await seal(bundle);
      if (sealed === undefined) throw new Error('the bundle was not sealed although it is small enough');
      for (const left of [false, true]) {
        if (left) rmSync(join(target, 'work'), { recursive: true });
        const opened = await open(sealed, bundle);
        expect(opened).toMatchObject({ ok: true, value: { bytes: 30_004, count: 3 } });
        expect(readFileSync(join(target, 'work/deep/a.bin')).equals(files['work/deep/a.bin'])).toBe(true);
        expect(Object.keys(readFiles(target)).toSorted()).toEqual([
          'stdout',
          'work/deep/a.bin',
          'work/empty',
          'work/void/',
        ]);
      }
    });

    it('seals up to 32 KiB with a list of files that fits, and nothing larger', async () => {
      expect(await seal(bundleFiles(source, { a: makeBytes(32 * 1024) }))).toBeTypeOf('string');
      expect(await seal(bundleFiles(source, { a: makeBytes(32 * 1024), b: 'x' }))).toBeUndefined();
      const many = Object.fromEntries(Array.from({ length: 400 }, (_none, at) => [`f${at}`, 'x']));
      expect(await seal(bundleFiles(source, many))).toBeUndefined();
    });

    it('does not open what was sealed for another share, node or manifest, and leaves nothing', async () => {
      const [bundle, another] = [bundleFiles(source, { a: 'alpha' }), bundleFiles(source, { b: 'beta' })];
      const sealed = (await seal(bundle)) ?? '';
      expect(await open(sealed, bundle, 'alpha/item-1/2/out')).toMatchObject({ ok: false, final: true });
      expect(await open(sealed, another)).toMatchObject({ ok: false, final: true });
      expect(await open('AAAA', bundle)).toMatchObject({ ok: false, final: true });
      const stranger = await ended<Fetched>((done) =>
        receiver.transfer.open({ share: 'alpha/item-1/1/out', sealed, sha256: bundle.sha256, directory: target }, done),
      );
      expect(stranger).toMatchObject({ ok: false, final: true });
      expect(existsSync(target)).toBe(false);
    });

    it('has no URL before it listens, and calls back from close in any state', async () => {
      const idle = createNode();
      expect(idle.transfer.urls()).toEqual([]);
      await new Promise<void>((resolve) => idle.transfer.close(resolve));
      expect(owner.transfer.urls().length).toBeGreaterThan(0);
    });
  });
}

/** A bundle that no honest node would seal, without any checks. */
function createHostileBundle(root: string, manifest: Manifest): Bundle {
  const sealed = sealBundle(root, { files: [], directories: [] });
  const bytes = manifest.files.reduce((sum, file) => sum + file.size, 0);
  return {
    ...sealed,
    manifest,
    sha256: sealBundle(root, manifest).sha256,
    bytes,
    count: encodeManifest(manifest).length,
  };
}

function replaceByLink(path: string): void {
  // Of the same size, so that only the link itself is noticed.
  const outside = `${dirname(path)}-outside`;
  writeFileSync(outside, 'OTHER');
  rmSync(path);
  symlinkSync(outside, path);
}
