/**
 * The Transfer and Workspace ports between simulated machines: a fetch takes its time, is cut when the network is, and brings
 * what the other side shares with this peer or nothing. Contents are names, so that it can be told whose outputs came home.
 */
import type {
  Bundle,
  Ended,
  FetchOrder,
  Fetched,
  OpenOrder,
  Share,
  Transfer,
  Workspace,
} from '../transfer/transfer.js';
import type { Network } from './network.js';
import type { Random } from './random.js';
import { isSmall, readSealed, writeSealed } from './sim-sealed.js';
import { fetchOrWait, SILENCE_MS, type Attempt, type SimIntake } from './sim-fetch.js';
import type { SimMachine } from './sim-machine.js';
import type { SimRoom } from './sim-room.js';

/** What can be reached on the network, by address. */
export type Exchange = Map<string, Served>;

/** What one node serves and waits for. */
export interface Served {
  readonly place: string;
  readonly shares: ReadonlyMap<string, Share>;
  readonly intakes: ReadonlyMap<string, SimIntake>;
}

/** What a simulated transfer is made of. */
export interface SimTransferParts {
  readonly machine: SimMachine;
  readonly life: number;
  readonly network: Network;
  readonly exchange: Exchange;
  readonly random: Random;
  readonly publicKey: string;
  readonly room: SimRoom;
  readonly starved?: ((share: string) => void) | undefined;
}

/** Makes the transfer of one life of a node. */
export function createSimTransfer(parts: SimTransferParts): Transfer {
  const { machine, life, network, exchange, random } = parts;
  const { host } = machine;
  const shares = new Map<string, Share>();
  const intakes = new Map<string, SimIntake>();
  const delayMs = (): number => 5 + random.next() * 200;
  const url = `https://${host.id}:${8000 + life}`;

  /** What serves at one of these addresses, or why there is no connection. */
  function call(urls: readonly string[]): Served | 'silent' | 'refused' {
    const place = urls.map((one) => new URL(one).hostname).find((name) => !network.connects(host.id, name));
    if (place !== undefined) return 'silent';
    return urls.map((one) => exchange.get(one)).find((one) => one !== undefined) ?? 'refused';
  }

  function attempt(order: FetchOrder): Attempt {
    const found = call(order.urls);
    if (typeof found === 'string') return found;
    const share = found.shares.get(order.share);
    if (share === undefined || share.peerKey !== parts.publicKey)
      return { ok: false, reason: 'no such share', final: true };
    const { bundle } = share;
    if (bundle.sha256 !== order.sha256) return { ok: false, reason: 'the manifest is another one', final: true };
    return store(order, bundle);
  }

  function store(order: Pick<FetchOrder, 'share' | 'directory'>, bundle: Bundle): Ended<Fetched> {
    if (parts.room.free() < bundle.bytes) {
      parts.starved?.(order.share);
      return { ok: false, reason: 'no space left on device', final: false, lacksRoom: true };
    }
    // What comes home may take the room of what was promised: it is not asked.
    if (order.share.endsWith('/out')) parts.room.note();
    for (const file of bundle.manifest.files) machine.files.set(`${order.directory}/${file.path}`, file.sha256);
    const { command, files, directories } = bundle.manifest;
    return { ok: true, value: { command, contents: { files, directories }, bytes: bundle.bytes, count: bundle.count } };
  }

  function push(name: string, urls: readonly string[], done: (ended: Ended<undefined>) => void): void {
    const found = call(urls);
    if (typeof found === 'string') {
      const ended = { ok: false, reason: `${urls.join(', ')}: no answer`, final: false, unreached: true } as const;
      return void host.after(life, found === 'silent' ? SILENCE_MS : 0, () => done(ended));
    }
    const share = shares.get(name);
    const intake = found.intakes.get(name);
    const isTaken = share !== undefined && intake?.order.peerKey === parts.publicKey && intake.take(share.bundle);
    done(isTaken ? { ok: true, value: undefined } : { ok: false, reason: 'nothing is waited for', final: false });
  }

  function openSealed(order: OpenOrder): Ended<Fetched> {
    const { share, sealKey, bundle } = readSealed(order.sealed);
    const isOurs = share === order.share && sealKey === parts.publicKey && bundle.sha256 === order.sha256;
    if (!isOurs) return { ok: false, reason: 'what was sealed cannot be opened', final: true };
    return store(order, bundle);
  }

  return {
    name: 'https',
    start: (done) => {
      if (host.life !== life) return;
      exchange.set(url, { place: host.id, shares, intakes });
      host.after(life, 1, () => done({ ok: true, value: undefined }));
    },
    urls: () => [url],
    share: (share) => {
      shares.set(share.share, share);
    },
    unshare: (share) => {
      shares.delete(share);
    },
    fetch: (order, done) =>
      fetchOrWait(
        { host, life, order, intakes, delayMs, attempt: () => attempt(order), store: (bundle) => store(order, bundle) },
        done,
      ),
    push: (name, urls, done) => host.after(life, delayMs(), () => push(name, urls, done)),
    call: () => undefined,
    sealKey: parts.publicKey,
    seal: (share, bundle, sealKey, done) =>
      host.after(life, 0.2 + random.next(), () => {
        done({ ok: true, value: isSmall(bundle) ? writeSealed({ share, sealKey, bundle }) : undefined });
      }),
    open: (order, done) => host.after(life, 0.2 + random.next() * 3, () => done(openSealed(order))),
    close: (done) => {
      exchange.delete(url);
      host.after(life, 0, done);
    },
  };
}

/** Makes the workspace of one life of a node; its directories are the machine's. */
export function createSimWorkspace(machine: SimMachine, room: SimRoom, life: number, random: Random): Workspace {
  const { host, files } = machine;
  const later = <T>(ended: () => Ended<T>, done: (ended: Ended<T>) => void): void => {
    host.after(life, 0.2 + random.next() * 3, () => done(ended()));
  };
  const guest = (owner: string, item: string, epoch: number): string => `guests/${owner}/${item}/${epoch}`;
  const home = (item: string, epoch: number): string => `items/${item}/home/${epoch}`;
  const drop = (root: string): void => {
    if (host.life === life) remove(files, root);
  };

  return {
    stage: (item, inputs, command, done) =>
      later(() => {
        // What a node stages of its own may take the room of what it has promised: it is not asked.
        if (inputs.length > 0) room.note();
        for (const input of inputs) files.set(`items/${item}/in/${input.split('/').at(-1) ?? ''}`, `${item}:${input}`);
        return bundleOf(machine, room, `items/${item}/in`, command);
      }, done),
    restage: (item, command, image, done) =>
      later(() => bundleOf(machine, room, `items/${item}/${image ? 'image' : 'in'}`, command), done),
    resealImage: (item, _contents, command, done) =>
      later(() => bundleOf(machine, room, `items/${item}/image`, command), done),
    guestDirectory: guest,
    collect: (directory, _globs, everything, done) =>
      later(
        () =>
          everything
            ? bundleOf(machine, room, directory, undefined)
            : bundleOf(machine, room, directory, undefined, 'stdout'),
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
        room.note();
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
  { sizeOf }: SimRoom,
  root: string,
  command: Bundle['manifest']['command'],
  only?: string,
): Ended<Bundle> {
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
  if (name === undefined) return;
  files.set(to, name);
}

/** Takes everything below `from` away and puts it below `to`, in place of what was there. */
function moveTree(files: Map<string, string>, from: string, to: string): void {
  const moved = [...files].filter(([path]) => path.startsWith(`${from}/`));
  if (moved.length > 0) remove(files, to);
  remove(files, from);
  for (const [path, name] of moved) files.set(to + path.slice(from.length), name);
}

function remove(files: Map<string, string>, root: string): void {
  for (const path of files.keys()) if (path.startsWith(`${root}/`)) files.delete(path);
}

/** 64 hex digits that differ where texts do: enough to tell bundles apart, no cryptography needed here. */
function digest(text: string): string {
  let digits = '';
  for (let part = 0; part < 8; part += 1) {
    let hash = 0x811c9dc5 ^ part;
    for (let i = 0; i < text.length; i += 1) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
    digits += (hash >>> 0).toString(16).padStart(8, '0');
  }
  return digits;
}
