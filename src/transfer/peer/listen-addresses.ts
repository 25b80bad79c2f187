/**
 * Where peers may reach a listener: the addresses of this machine, best first. Those that other machines rarely reach
 * come last: VPNs, bridges of container tools, link-local addresses. Callers reorder them in `order-urls.ts`.
 */
import { isIPv6 } from 'node:net';
import type { NetworkInterfaceInfo } from 'node:os';
import { formatPeerUrl, parsePeerAddress } from '../../protocol/peer-address.js';

/** Network interfaces by name, as node:os lists them. */
export type Interfaces = Readonly<Record<string, readonly NetworkInterfaceInfo[] | undefined>>;

/** Kind of an interface by its name: a regular network, a VPN tunnel, or a bridge inside this machine. */
export type InterfaceKind = 'network' | 'vpn' | 'bridge';

/** Limit of addresses in one message. */
const ADDRESSES_MAX = 16;
const BRIDGE_PATTERN = /^(docker|br-|veth|virbr|vnet|lxc|lxd|cni|flannel|cali|podman|vmnet|vboxnet|bridge)/;
const VPN_PATTERN = /^(tun|tap|utun|wg|tailscale|ts\d|zt|nebula|ppp|ipsec|nordlynx|proton|mullvad|wt\d)/;
/** Carrier-grade NAT (RFC 6598), which overlay networks take their members' addresses from. */
const CGNAT_PATTERN = /^100\.(6[4-9]|[7-9]\d|1[01]\d|12[0-7])\./;
const LINK_LOCAL_PATTERN = /^(fe[89ab][0-9a-f]:|169\.254\.)/i;

/**
 * Lists the URLs of a listener on `host` and `port`: one for a specific host, one per address of the machine when it
 * listens on all of them (`0.0.0.0`: IPv4 only; `::`: both, IPv4 first). Loopback only without any network.
 */
export function listUrls(host: string, port: number, interfaces: Interfaces): readonly string[] {
  if (host !== '0.0.0.0' && host !== '::') return [formatPeerUrl(host, port)];
  const all = listAddresses(interfaces);
  const served = all.filter((address) => host === '::' || !isIPv6(address));
  const reachable = all.length === 0 ? ['127.0.0.1'] : served;
  return reachable.slice(0, ADDRESSES_MAX).map((address) => formatPeerUrl(address, port));
}

/** Lists the URLs that the user configured (`host`, `host:port`, `[v6]:port`); `port` is the default. */
export function listAdvertised(addresses: readonly string[], port: number): readonly string[] {
  return addresses
    .slice(0, ADDRESSES_MAX)
    .map(parsePeerAddress)
    .filter((address) => address !== undefined)
    .map((address) => formatPeerUrl(address.host, address.port ?? port));
}

/** Classifies an interface by its name and one of its addresses. */
export function classifyInterface(name: string, address: string): InterfaceKind {
  if (BRIDGE_PATTERN.test(name)) return 'bridge';
  return VPN_PATTERN.test(name) || CGNAT_PATTERN.test(address) ? 'vpn' : 'network';
}

const KIND_RANKS: Readonly<Record<InterfaceKind, number>> = { network: 0, vpn: 2, bridge: 4 };
const LINK_LOCAL_RANK = 6;

function listAddresses(interfaces: Interfaces): readonly string[] {
  const found = Object.entries(interfaces).flatMap(([name, infos]) =>
    (infos ?? []).filter(isReachable).map(({ address }) => ({ address, rank: rankAddress(name, address) })),
  );
  return found.toSorted((one, other) => one.rank - other.rank).map(({ address }) => address);
}

function rankAddress(name: string, address: string): number {
  const base = LINK_LOCAL_PATTERN.test(address) ? LINK_LOCAL_RANK : KIND_RANKS[classifyInterface(name, address)];
  return base + (isIPv6(address) ? 1 : 0);
}

/** An IPv6 link-local address needs a zone that only the peer knows. */
function isReachable(info: NetworkInterfaceInfo): boolean {
  return !info.internal && !(isIPv6(info.address) && LINK_LOCAL_PATTERN.test(info.address));
}
