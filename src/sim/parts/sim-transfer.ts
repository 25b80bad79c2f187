/**
 * The Transfer and Workspace ports between simulated machines. A fetch takes time, fails when the network is cut, and
 * returns what the other side shares with this peer, or nothing. File contents are names of executions, which shows
 * whose outputs were fetched.
 */
import type {
  Bundle,
  Outcome,
  FetchRequest,
  Fetched,
  OpenRequest,
  Share,
  Transfer,
  Workspace,
} from '../../transfer/transfer.js';
import type { Network } from './network.js';
import type { Random } from '../plan/random.js';
import { isSmall, readSealed, writeSealed } from './sim-sealed.js';
import { fetchOrWait, CONNECT_TIMEOUT_MS, type Attempt, type SimIntake } from './sim-fetch.js';
import type { SimMachine } from './sim-machine.js';
import type { SimDiskSpace } from './sim-disk-space.js';

/** The nodes that serve files, by URL. */
export type Exchange = Map<string, Served>;

/** What one node shares, and its fetches that accept a push. */
export interface Served {
  readonly place: string;
  readonly shares: ReadonlyMap<string, Share>;
  readonly intakes: ReadonlyMap<string, SimIntake>;
}

/** Dependencies of a simulated transfer. */
export interface SimTransferDeps {
  readonly machine: SimMachine;
  readonly boot: number;
  readonly network: Network;
  readonly exchange: Exchange;
  readonly random: Random;
  readonly publicKey: string;
  readonly diskSpace: SimDiskSpace;
  readonly onLackOfSpace?: ((share: string) => void) | undefined;
}

/** Creates the transfer of one boot of a node. */
export function createSimTransfer(deps: SimTransferDeps): Transfer {
  const { machine, boot, network, exchange, random } = deps;
  const { host } = machine;
  const shares = new Map<string, Share>();
  const intakes = new Map<string, SimIntake>();
  const delayMs = (): number => 5 + random.next() * 200;
  const url = `https://${host.id}:${8000 + boot}`;

  /** The node that serves at one of these URLs, or why there is no connection. */
  function call(urls: readonly string[]): Served | 'silent' | 'refused' {
    const place = urls.map((one) => new URL(one).hostname).find((name) => !network.connects(host.id, name));
    if (place !== undefined) return 'silent';
    return urls.map((one) => exchange.get(one)).find((one) => one !== undefined) ?? 'refused';
  }

  function attempt(request: FetchRequest): Attempt {
    const found = call(request.urls);
    if (typeof found === 'string') return found;
    const share = found.shares.get(request.share);
    if (share === undefined || share.peerKey !== deps.publicKey)
      return { ok: false, reason: 'no such share', final: true };
    const { bundle } = share;
    if (bundle.sha256 !== request.sha256) return { ok: false, reason: 'the manifest is another one', final: true };
    return store(request, bundle);
  }

  function store(request: Pick<FetchRequest, 'share' | 'directory'>, bundle: Bundle): Outcome<Fetched> {
    if (deps.diskSpace.free() < bundle.bytes) {
      deps.onLackOfSpace?.(request.share);
      return { ok: false, reason: 'no space left on device', final: false, lacksSpace: true };
    }
    // A node's own outputs may use promised space: they are fetched regardless.
    if (request.share.endsWith('/out')) deps.diskSpace.markChanged();
    for (const file of bundle.manifest.files) machine.files.set(`${request.directory}/${file.path}`, file.sha256);
    const { command, files, directories } = bundle.manifest;
    return { ok: true, value: { command, contents: { files, directories }, bytes: bundle.bytes, count: bundle.count } };
  }

  function push(name: string, urls: readonly string[], done: (ended: Outcome<undefined>) => void): void {
    const found = call(urls);
    if (typeof found === 'string') {
      const ended = { ok: false, reason: `${urls.join(', ')}: no answer`, final: false, unreached: true } as const;
      return void host.after(boot, found === 'silent' ? CONNECT_TIMEOUT_MS : 0, () => done(ended));
    }
    const share = shares.get(name);
    const intake = found.intakes.get(name);
    const isTaken = share !== undefined && intake?.request.peerKey === deps.publicKey && intake.take(share.bundle);
    done(isTaken ? { ok: true, value: undefined } : { ok: false, reason: 'nothing is waited for', final: false });
  }

  function openSealed(request: OpenRequest): Outcome<Fetched> {
    const { share, sealKey, bundle } = readSealed(request.sealed);
    const isOurs = share === request.share && sealKey === deps.publicKey && bundle.sha256 === request.sha256;
    if (!isOurs) return { ok: false, reason: 'what was sealed cannot be opened', final: true };
    return store(request, bundle);
  }

  return {
    name: 'https',
    start: (done) => {
      if (host.boot !== boot) return;
      exchange.set(url, { place: host.id, shares, intakes });
      host.after(boot, 1, () => done({ ok: true, value: undefined }));
    },
    urls: () => [url],
    share: (share) => {
      shares.set(share.share, share);
    },
    unshare: (share) => {
      shares.delete(share);
    },
    fetch: (request, done) => {
      const ways = { attempt: () => attempt(request), store: (bundle: Bundle) => store(request, bundle) };
      return fetchOrWait({ host, boot, request, intakes, delayMs, ...ways }, done);
    },
    push: (name, urls, done) => host.after(boot, delayMs(), () => push(name, urls, done)),
    call: () => undefined,
    sealKey: deps.publicKey,
    seal: (share, bundle, sealKey, done) =>
      host.after(boot, 0.2 + random.next(), () => {
        done({ ok: true, value: isSmall(bundle) ? writeSealed({ share, sealKey, bundle }) : undefined });
      }),
    open: (request, done) => host.after(boot, 0.2 + random.next() * 3, () => done(openSealed(request))),
    close: (done) => {
      exchange.delete(url);
      host.after(boot, 0, done);
    },
  };
}

/** Creates the workspace of one boot of a node. Its directories outlive that boot. */
export function createSimWorkspace(
  machine: SimMachine,
  diskSpace: SimDiskSpace,
  boot: number,
  random: Random,
): Workspace {
  const { host, files } = machine;
  const later = <T>(ended: () => Outcome<T>, done: (ended: Outcome<T>) => void): void => {
    host.after(boot, 0.2 + random.next() * 3, () => done(ended()));
  };
  const guest = (owner: string, item: string, epoch: number): string => `guests/${owner}/${item}/${epoch}`;
  const home = (item: string, epoch: number): string => `items/${item}/home/${epoch}`;
  const drop = (root: string): void => {
    if (host.boot === boot) remove(files, root);
  };

  return {
    stage: (item, inputs, command, done) =>
      later(() => {
        // A node's own inputs may use promised space: they are staged regardless.
        if (inputs.length > 0) diskSpace.markChanged();
        for (const input of inputs) files.set(`items/${item}/in/${input.split('/').at(-1) ?? ''}`, `${item}:${input}`);
        return bundleOf(machine, diskSpace, `items/${item}/in`, command);
      }, done),
    restage: (item, command, image, done) =>
      later(() => bundleOf(machine, diskSpace, `items/${item}/${image ? 'image' : 'in'}`, command), done),
    resealImage: (item, _contents, command, done) =>
      later(() => bundleOf(machine, diskSpace, `items/${item}/image`, command), done),
    guestDirectory: guest,
    collect: (directory, _globs, everything, done) =>
      later(
        () =>
          everything
            ? bundleOf(machine, diskSpace, directory, undefined)
            : bundleOf(machine, diskSpace, directory, undefined, 'stdout'),
        done,
      ),
    homeDirectory: home,
    place: (item, epoch, _destination, done) =>
      later(() => {
        move(files, `${home(item, epoch)}/stdout`, `items/${item}/stdout`);
        return { ok: true, value: undefined };
      }, done),
    carry: (item, epoch, image, done) =>
      later(() => {
        if (image) moveTree(files, home(item, epoch), `items/${item}/image`);
        else move(files, `${home(item, epoch)}/stdout`, `items/${item}/in/carried`);
        return { ok: true, value: undefined };
      }, done),
    adoptGuest: (owner, item, epoch, done) =>
      later(() => {
        diskSpace.markChanged();
        for (const name of ['stdout', 'image/core']) {
          move(files, `${guest(owner, item, epoch)}/${name}`, `${home(item, epoch)}/${name}`);
        }
        return { ok: true, value: { files: [], directories: [] } };
      }, done),
    removeGuest: (owner, item, epoch) => drop(guest(owner, item, epoch)),
    dropImage: (item) => drop(`items/${item}/image`),
    removeItem: (item, all) => {
      for (const part of all ? [''] : ['/in', '/image']) drop(`items/${item}${part}`);
    },
  };
}

function bundleOf(
  { files }: SimMachine,
  { sizeOf }: SimDiskSpace,
  root: string,
  command: Bundle['manifest']['command'],
  only?: string,
): Outcome<Bundle> {
  const listed = [...files]
    .filter(([path]) => path.startsWith(`${root}/`) && (only === undefined || path === `${root}/${only}`))
    .map(([path, name]) => ({ path: path.slice(root.length + 1), size: sizeOf(name), mode: 0o644, sha256: name }));
  const bytes = listed.reduce((sum, file) => sum + file.size, 0);
  const manifest = { files: listed, directories: [], ...(command === undefined ? {} : { command }) };
  const text = listed.map((file) => `${file.path}=${file.sha256}`).join('\n');
  return { ok: true, value: { root, manifest, sha256: digest(text), bytes, count: listed.length } };
}

function move(files: Map<string, string>, from: string, to: string): void {
  const name = files.get(from);
  if (name !== undefined) files.set(to, name);
}

/** Moves everything below `from` to `to`, and replaces what was there. */
function moveTree(files: Map<string, string>, from: string, to: string): void {
  const moved = [...files].filter(([path]) => path.startsWith(`${from}/`));
  if (moved.length > 0) remove(files, to);
  remove(files, from);
  for (const [path, name] of moved) files.set(to + path.slice(from.length), name);
}

function remove(files: Map<string, string>, root: string): void {
  for (const path of files.keys()) if (path.startsWith(`${root}/`)) files.delete(path);
}

/** A hash of 64 hex digits: good enough to tell bundles apart, without cryptography. */
function digest(text: string): string {
  let digits = '';
  for (let part = 0; part < 8; part += 1) {
    let hash = 0x811c9dc5 ^ part;
    for (let i = 0; i < text.length; i += 1) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
    digits += (hash >>> 0).toString(16).padStart(8, '0');
  }
  return digits;
}
