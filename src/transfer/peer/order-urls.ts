/**
 * Puts a peer's addresses into the order in which they are called from this machine: the one that answered last, then
 * those in a network that both are in, then the rest as the peer told them. A bridge of a container tool has the same
 * network on every machine, so sharing that means nothing.
 */
import { BlockList, isIPv4, isIPv6 } from 'node:net';
import { parsePeerUrl } from '../../protocol/peer-address.js';
import { classifyInterface, type Interfaces } from './listen-addresses.js';

/** The URLs in the order to call them; `lastGood` answered last, those in `failed` broke after they had answered. */
export function orderUrls(
  urls: readonly string[],
  interfaces: Interfaces,
  lastGood: string | undefined,
  failed: ReadonlySet<string>,
): readonly string[] {
  const networks = listNetworks(interfaces);
  const rank = (url: string): number => {
    if (failed.has(url)) return 4;
    return url === lastGood ? 0 : rankHost(parsePeerUrl(url)?.host ?? '', networks);
  };
  const ranked = [...new Set(urls)].map((url) => ({ url, rank: rank(url) }));
  return ranked.toSorted((one, other) => one.rank - other.rank).map(({ url }) => url);
}

interface Networks {
  readonly near: BlockList;
  readonly tunnelled: BlockList;
}

function listNetworks(interfaces: Interfaces): Networks {
  const networks = { near: new BlockList(), tunnelled: new BlockList() };
  for (const [name, infos] of Object.entries(interfaces)) {
    for (const { address, cidr, internal } of infos ?? []) {
      const bits = Number(cidr?.split('/')[1] ?? Number.NaN);
      const kind = classifyInterface(name, address);
      if (internal || kind === 'bridge' || !Number.isInteger(bits)) continue;
      (kind === 'vpn' ? networks.tunnelled : networks.near).addSubnet(address, bits, isIPv6(address) ? 'ipv6' : 'ipv4');
    }
  }
  return networks;
}

/** 1: in a network of both; 2: in a tunnel of both; 3: nobody knows. A name is resolved by whoever calls it. */
function rankHost(host: string, { near, tunnelled }: Networks): number {
  if (!isIPv4(host) && !isIPv6(host)) return 3;
  const family = isIPv6(host) ? 'ipv6' : 'ipv4';
  if (near.check(host, family)) return 1;
  return tunnelled.check(host, family) ? 2 : 3;
}
