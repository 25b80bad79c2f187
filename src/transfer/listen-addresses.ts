/**
 * Where peers may reach a listener: the addresses of this machine, best first. Addresses of bridges that container tools
 * make come last: other machines rarely reach them.
 */
import { isIPv6 } from 'node:net';
import type { NetworkInterfaceInfo } from 'node:os';

/** Network interfaces by name, as node:os lists them. */
export type Interfaces = Readonly<Record<string, readonly NetworkInterfaceInfo[] | undefined>>;

/** Most addresses that one ack may name. */
const ADDRESSES_MAX = 16;
const BRIDGE_PATTERN = /^(docker|br-|veth|virbr|lxc|cni|flannel|podman|vmnet|utun|bridge)/;

/**
 * The URLs of a listener on `host` and `port`: one for a host of its own, one for each address of the machine when it listens on
 * all of them (`0.0.0.0`: IPv4 only; `::`: both, IPv4 first).
 */
export function listUrls(host: string, port: number, interfaces: Interfaces): readonly string[] {
  if (host !== '0.0.0.0' && host !== '::') return [formatUrl(host, port)];
  const addresses = listAddresses(interfaces).filter((address) => host === '::' || !isIPv6(address));
  const reachable = addresses.length > 0 ? addresses : ['127.0.0.1'];
  return reachable.slice(0, ADDRESSES_MAX).map((address) => formatUrl(address, port));
}

/** `https://host:port`, with an IPv6 address in brackets. */
export function formatUrl(host: string, port: number): string {
  return `https://${isIPv6(host) ? `[${host}]` : host}:${port}`;
}

function listAddresses(interfaces: Interfaces): readonly string[] {
  const found = Object.entries(interfaces).flatMap(([name, infos]) =>
    (infos ?? []).filter(isReachable).map((info) => ({ info, isBridge: BRIDGE_PATTERN.test(name) })),
  );
  const rank = ({ info, isBridge }: (typeof found)[number]): number =>
    (isBridge ? 2 : 0) + (info.family === 'IPv6' ? 1 : 0);
  return found.toSorted((one, other) => rank(one) - rank(other)).map(({ info }) => info.address);
}

/** Link-local addresses need a zone that only the peer knows. */
function isReachable(info: NetworkInterfaceInfo): boolean {
  return !info.internal && !/^(fe80:|169\.254\.)/i.test(info.address);
}
