/**
 * The Transfer and Workspace ports between simulated machines: a fetch takes its time, is cut when the network is, and brings
 * what the other side shares with this peer or nothing. Contents are names, so that it can be told whose outputs came home.
 */
import type { Bundle, Ended, FetchOrder, Fetched, Share, Transfer, Workspace } from '../transfer/transfer.js';
import type { Network } from './network.js';
import type { Random } from './random.js';
import type { SimMachine } from './sim-machine.js';

/** What can be reached on the network, by address. */
export type Exchange = Map<string, { readonly place: string; readonly shares: ReadonlyMap<string, Share> }>;

/** What a simulated transfer is made of. */
export interface SimTransferParts {
  readonly machine: SimMachine;
  readonly life: number;
  readonly network: Network;
  readonly exchange: Exchange;
  readonly random: Random;
  readonly publicKey: string;
}

/** Makes the transfer of one life of a node. */
export function createSimTransfer(parts: SimTransferParts): Transfer {
  const { machine, life, network, exchange, random } = parts;
  const { host } = machine;
  const shares = new Map<string, Share>();
  const url = `https://${host.id}:${8000 + life}`;

  function attempt(order: FetchOrder): Ended<Fetched> {
    const found = order.urls.map((one) => exchange.get(one)).find((one) => one !== undefined);
    if (found === undefined || !network.passes(host.id, found.place) || !network.passes(found.place, host.id)) {
      return { ok: false, reason: 'no address answers', final: false };
    }
    const share = found.shares.get(order.share);
    if (share === undefined || share.peerKey !== parts.publicKey)
      return { ok: false, reason: 'no such share', final: true };
    const { bundle } = share;
    if (bundle.sha256 !== order.sha256) return { ok: false, reason: 'the manifest is another one', final: true };
    for (const file of bundle.manifest.files) machine.files.set(`${order.directory}/${file.path}`, file.sha256);
    const { command, files, directories } = bundle.manifest;
    return { ok: true, value: { command, contents: { files, directories }, bytes: bundle.bytes, count: bundle.count } };
  }

  return {
    name: 'https',
    start: (done) => {
      if (host.life !== life) return;
      exchange.set(url, { place: host.id, shares });
      host.after(life, 1, () => done({ ok: true, value: undefined }));
    },
    urls: () => [url],
    share: (share) => {
      shares.set(share.share, share);
    },
    unshare: (share) => {
      shares.delete(share);
    },
    fetch: (order, done) => host.after(life, 5 + random.next() * 200, () => done(attempt(order))),
    close: (done) => {
      exchange.delete(url);
      host.after(life, 0, done);
    },
  };
}

/** Makes the workspace of one life of a node; its directories are the machine's. */
export function createSimWorkspace(machine: SimMachine, life: number, random: Random): Workspace {
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
        for (const input of inputs) files.set(`items/${item}/in/${input.split('/').at(-1) ?? ''}`, `${item}:${input}`);
        return bundleOf(files, `items/${item}/in`, command);
      }, done),
    restage: (item, command, image, done) =>
      later(() => bundleOf(files, `items/${item}/${image ? 'image' : 'in'}`, command), done),
    resealImage: (item, _contents, command, done) => later(() => bundleOf(files, `items/${item}/image`, command), done),
    guestDirectory: guest,
    collect: (directory, _globs, everything, done) =>
      later(
        () => (everything ? bundleOf(files, directory, undefined) : bundleOf(files, directory, undefined, 'stdout')),
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
  files: ReadonlyMap<string, string>,
  root: string,
  command: Bundle['manifest']['command'],
  only?: string,
): Ended<Bundle> {
  const listed = [...files]
    .filter(([path]) => path.startsWith(`${root}/`) && (only === undefined || path === `${root}/${only}`))
    .map(([path, name]) => ({ path: path.slice(root.length + 1), size: 1, mode: 0o644, sha256: name }));
  const manifest = { files: listed, directories: [], ...(command === undefined ? {} : { command }) };
  const text = listed.map((file) => `${file.path}=${file.sha256}`).join('\n');
  return { ok: true, value: { root, manifest, sha256: digest(text), bytes: listed.length, count: listed.length } };
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
