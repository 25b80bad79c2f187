/**
 * Peer addresses as people write them and as messages carry them: `host`, `host:port`, `[v6]:port` and
 * `https://host:port`. Only parses and formats text; never resolves a name or opens a connection.
 */

/**
 * Where a peer can be reached. Without a port, the port of its listener applies. An IPv6 address has no brackets here.
 */
export interface PeerAddress {
  readonly host: string;
  readonly port?: number | undefined;
}

const PORT_MAX = 65_535;
const HOST_CHARS_MAX = 253;
const LABEL_PATTERN = /^[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?$/i;
/** Addresses that mean "all interfaces" to a listener and nothing to a caller. */
const ANY_ADDRESSES: ReadonlySet<string> = new Set(['0.0.0.0', '::']);

/**
 * Parses `host`, `host:port`, `[v6]`, `[v6]:port` or an IPv6 address without brackets; `undefined` for anything else.
 */
export function parsePeerAddress(text: string): PeerAddress | undefined {
  if (isIpv6Text(text)) return { host: text };
  const bracketed = /^\[([^\]]*)\](?::(\d{1,5}))?$/.exec(text);
  const [, host = '', digits] = bracketed ?? /^([^:[\]]*)(?::(\d{1,5}))?$/.exec(text) ?? [];
  const isHost = bracketed === null ? isHostText(host) : isIpv6Text(host);
  if (!isHost) return undefined;
  if (digits === undefined) return { host };
  const port = Number(digits);
  return port >= 1 && port <= PORT_MAX ? { host, port } : undefined;
}

/** What is wrong with an address to advertise to peers; `undefined` if nothing is. */
export function findAdvertiseFault(text: string): string | undefined {
  const address = parsePeerAddress(text);
  if (address === undefined)
    return 'must be addresses that peers call: host, host:port or [ipv6]:port, without a scheme';
  return ANY_ADDRESSES.has(address.host)
    ? 'must be addresses that peers call, not the one that means "all"'
    : undefined;
}

/** What is wrong with an address to listen on; `undefined` if nothing is. */
export function findListenFault(text: string): string | undefined {
  const address = parsePeerAddress(text);
  return address === undefined || address.port !== undefined || text.startsWith('[')
    ? 'must be an address of this machine without a port, such as ::, 0.0.0.0 or 127.0.0.1'
    : undefined;
}

/** Formats `https://host:port`, with an IPv6 address in brackets. */
export function formatPeerUrl(host: string, port: number): string {
  return `https://${formatHostPort(host, port)}`;
}

/** Shortens a URL from a message to `host:port` for display. */
export function describePeerUrl(url: string): string {
  return url.replace(/^https:\/\//, '');
}

/** Parses `https://host:port`; `undefined` for anything else. */
export function parsePeerUrl(url: string): Required<PeerAddress> | undefined {
  const address = url.startsWith('https://') ? parsePeerAddress(describePeerUrl(url)) : undefined;
  return address?.port === undefined ? undefined : { host: address.host, port: address.port };
}

function formatHostPort(host: string, port: number): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`;
}

/** Whether it is a name or an IPv4 address: if the last label is a number, it must be an address. */
function isHostText(host: string): boolean {
  if (host.length > HOST_CHARS_MAX) return false;
  const labels = host.replace(/\.$/, '').split('.');
  if (!labels.every((label) => LABEL_PATTERN.test(label))) return false;
  return !/^\d+$/.test(labels.at(-1) ?? '') || isIpv4Text(host);
}

function isIpv4Text(host: string): boolean {
  const parts = host.split('.');
  return parts.length === 4 && parts.every((part) => /^(?:0|[1-9]\d{0,2})$/.test(part) && Number(part) <= 255);
}

/** Whether it is an IPv6 address without a zone: a zone only has a meaning on its own machine. */
function isIpv6Text(text: string): boolean {
  return text.includes(':') && /^[0-9a-f:.]+$/i.test(text) && URL.canParse(`https://[${text}]:1/`);
}
