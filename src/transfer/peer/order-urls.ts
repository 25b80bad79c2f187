/**
 * Orders a peer's addresses for calls from this machine: the one that answered last, then those in a network that
 * both are in, then the rest in the peer's order. Bridges of container tools are ignored, since they use the same
 * network on every machine.
 */
import { BlockList, isIPv4, isIPv6 } from 'node:net';
import { parsePeerUrl } from '../../protocol/peer-address.js';
import { classifyInterface, type Interfaces } from './listen-addresses.js';

/**
 * Returns the URLs in the order to call them, without duplicates. `lastGood` answered last; those in `failed` broke
 * after they had answered and come last.
 */
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

/** 1: both are in the same network; 2: both are in the same tunnel; 3: unknown. Names are not resolved here. */
function rankHost(host: string, { near, tunnelled }: Networks): number {
  if (!isIPv4(host) && !isIPv6(host)) return 3;
  const family = isIPv6(host) ? 'ipv6' : 'ipv4';
  if (near.check(host, family)) return 1;
  return tunnelled.check(host, family) ? 2 : 3;
}
