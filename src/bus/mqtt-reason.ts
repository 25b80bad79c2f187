/**
 * Why there is no connection, as one sentence for people: from the error of a socket, from the code of a refusal. It
 * never shows a password: places are named without credentials.
 */
import { isIP } from 'node:net';

/** `scheme://host:port` of a broker's URL, without user, password and path. */
export function namePlace(url: URL): string {
  return `${url.protocol}//${url.host}`;
}

/** A sentence for an error of a socket, of TLS or of MQTT.js. */
export function describeFailure(error: Error, url: URL): string {
  const place = namePlace(url);
  if (error.message === 'connack timeout') return `no answer from ${place}`;
  if (error.message === 'Keepalive timeout') return `the broker at ${place} fell silent`;
  const code = readCode(error);
  switch (code) {
    case 'ECONNREFUSED':
      return `connection refused at ${place}`;
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return `${url.hostname} is not a host that can be found (${place})`;
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
      return `no route to ${place}`;
    case 'ETIMEDOUT':
      return `no answer from ${place}`;
    case 'ECONNRESET':
    case 'EPIPE':
      return `the connection to ${place} was reset`;
    default:
      return isCertificateFault(code, error)
        ? `the certificate of ${place} is not trusted: ${error.message}`
        : `the connection to ${place} failed: ${error.message}`;
  }
}

/** Who connects, as far as a refusal may be about it. */
export interface Connecting {
  readonly username?: string | undefined;
  readonly will?: { readonly topic: string } | undefined;
}

/** A sentence for a CONNACK or DISCONNECT code of MQTT 3.1.1 (1-5) or MQTT 5 (128 and up). */
export function describeRefusal(code: number, url: URL, { username, will }: Connecting = {}): string {
  const broker = `the broker at ${namePlace(url)}`;
  // A broker may look at the will too, and has no other code to say so.
  const mayBeWill = (code === 5 || code === NOT_AUTHORIZED) && will !== undefined;
  switch (code) {
    case 1:
    case 132:
      return `${broker} speaks neither MQTT 5 nor MQTT 3.1.1`;
    case 2:
    case 133:
      return `${broker} refused the client id`;
    case 3:
    case 136:
    case 137:
    case 139:
      return `${broker} is unavailable just now`;
    case 4:
    case 5:
    case 134:
    case 135:
      return mayBeWill
        ? `${broker} refused the user name or password, or does not let ${nameUser(username)} write ${will.topic}`
        : `${broker} refused the user name or password`;
    case 138:
      return `${broker} banned this client`;
    case 142:
      return `another client took over this client id at ${namePlace(url)}`;
    default:
      return `${broker} refused the connection (MQTT code ${code})`;
  }
}

/** A sentence for the code of a PUBACK that refuses: 128 and up, or the broker's hanging up in place of one. */
export function describeDenial(code: number, url: URL, username: string | undefined): string {
  const broker = `the broker at ${namePlace(url)}`;
  const who = nameUser(username);
  if (code === NOT_AUTHORIZED) return `${broker} does not let ${who} write there (Not authorized)`;
  return `${broker} refuses what ${who} writes there (MQTT code ${code})`;
}

function nameUser(username: string | undefined): string {
  return username === undefined ? 'a client without a user name' : `user ${username}`;
}

/** Not authorized, as MQTT 5 numbers it. */
export const NOT_AUTHORIZED = 135;

/** Whether a CONNACK code says that the broker does not speak the version of MQTT that was asked for. */
export function isVersionRefusal(code: number): boolean {
  return code === 1 || code === 132;
}

/** The MQTT code that an error of MQTT.js carries; none for errors of sockets, whose codes are words. */
export function readRefusal(error: Error): number | undefined {
  return 'code' in error && typeof error.code === 'number' ? error.code : undefined;
}

/** The name by which TLS asks for a certificate; none for a bare address. */
export function nameServer(url: URL): string | undefined {
  return isIP(readHost(url)) === 0 ? url.hostname : undefined;
}

/** The host of a URL as sockets want it: an IPv6 address without its brackets. */
export function readHost(url: URL): string {
  return url.hostname.replace(/^\[(.*)\]$/, '$1');
}

function readCode(error: Error): string | undefined {
  return 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}

function isCertificateFault(code: string | undefined, error: Error): boolean {
  return (
    code !== undefined && (code.includes('CERT') || code.startsWith('ERR_TLS') || /certificate/i.test(error.message))
  );
}
