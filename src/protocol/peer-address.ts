/**
 * Addresses as people write them and as messages carry them: `host`, `host:port`, `[v6]:port` and `https://host:port`. Pure: whether
 * somebody is there, nobody here knows.
 */

/** Where a peer may be called; without a port its listener's own is meant. An IPv6 address stands without brackets. */
export interface PeerAddress {
  readonly host: string;
  readonly port?: number | undefined;
}

const PORT_MAX = 65_535;
const HOST_CHARS_MAX = 253;
const LABEL_PATTERN = /^[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?$/i;
/** Addresses that mean "any address" to a listener, and nothing to a caller. */
const ANY_ADDRESSES: ReadonlySet<string> = new Set(['0.0.0.0', '::']);

/** Reads `host`, `host:port`, `[v6]` or `[v6]:port`, an IPv6 address also without brackets; `undefined` for anything else. */
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

/** Says what is wrong with an address that peers are to call; `undefined` when nothing is. */
export function findAdvertiseFault(text: string): string | undefined {
  const address = parsePeerAddress(text);
  if (address === undefined)
    return 'must be addresses that peers call: host, host:port or [ipv6]:port, without a scheme';
  return ANY_ADDRESSES.has(address.host)
    ? 'must be addresses that peers call, not the one that means "all"'
    : undefined;
}

/** Says what is wrong with an address to listen on; `undefined` when nothing is. */
export function findListenFault(text: string): string | undefined {
  const address = parsePeerAddress(text);
  return address === undefined || address.port !== undefined || text.startsWith('[')
    ? 'must be an address of this machine without a port, such as ::, 0.0.0.0 or 127.0.0.1'
    : undefined;
}

/** `https://host:port`, with an IPv6 address in brackets. */
export function formatPeerUrl(host: string, port: number): string {
  return `https://${formatHostPort(host, port)}`;
}

/** `host:port` for people, of a URL as messages carry it. */
export function describePeerUrl(url: string): string {
  return url.replace(/^https:\/\//, '');
}

/** Takes `https://host:port` apart; `undefined` for what is none. */
export function parsePeerUrl(url: string): Required<PeerAddress> | undefined {
  const address = url.startsWith('https://') ? parsePeerAddress(describePeerUrl(url)) : undefined;
  return address?.port === undefined ? undefined : { host: address.host, port: address.port };
}

function formatHostPort(host: string, port: number): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`;
}

/** A name, or an IPv4 address: what ends in a number must be one. */
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

/** Whether it is an IPv6 address without a zone: only its own machine knows what a zone means. */
function isIpv6Text(text: string): boolean {
  return text.includes(':') && /^[0-9a-f:.]+$/i.test(text) && URL.canParse(`https://[${text}]:1/`);
}
