/**
 * Why there is no connection, as one sentence for people, from a socket error or from the code of a refusal. It never
 * shows a password: brokers are named without credentials.
 */
import { isIP } from 'node:net';
import { errorCode } from '../../os/errors.js';

/** `scheme://host:port` of a broker's URL, without user, password and path. */
export function namePlace(url: URL): string {
  return `${url.protocol}//${url.host}`;
}

/** A sentence for an error from the socket, from TLS or from MQTT.js. */
export function describeFailure(error: Error, url: URL): string {
  const place = namePlace(url);
  if (error.message === 'connack timeout') return `no answer from ${place}`;
  if (error.message === 'Keepalive timeout') return `the broker at ${place} stopped responding`;
  const code = errorCode(error);
  switch (code) {
    case 'ECONNREFUSED':
      return `connection refused at ${place}`;
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return `the host ${url.hostname} was not found (${place})`;
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

/** The parts of a client's CONNECT that may be the cause of a refusal. */
export interface Connecting {
  readonly username?: string | undefined;
  readonly will?: { readonly topic: string } | undefined;
}

/** A sentence for a CONNACK or DISCONNECT code of MQTT 3.1.1 (1-5) or MQTT 5 (128 and up). */
export function describeRefusal(code: number, url: URL, { username, will }: Connecting = {}): string {
  const broker = `the broker at ${namePlace(url)}`;
  // A broker may refuse the will too, and has no separate code for that.
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
      return `${broker} is currently unavailable`;
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

/**
 * A sentence for a denied publish: the PUBACK code, 128 and up, or `NOT_AUTHORIZED` where the broker hung up instead.
 */
export function describeDenial(code: number, url: URL, username: string | undefined): string {
  const broker = `the broker at ${namePlace(url)}`;
  const who = nameUser(username);
  if (code === NOT_AUTHORIZED) return `${broker} does not let ${who} write there (Not authorized)`;
  return `${broker} refuses what ${who} publishes there (MQTT code ${code})`;
}

function nameUser(username: string | undefined): string {
  return username === undefined ? 'a client without a user name' : `user ${username}`;
}

/** The MQTT 5 reason code "Not authorized". */
export const NOT_AUTHORIZED = 135;

/** Whether a CONNACK code means that the broker does not support the requested version of MQTT. */
export function isVersionRefusal(code: number): boolean {
  return code === 1 || code === 132;
}

/** The MQTT code of an error from MQTT.js; `undefined` for socket errors, whose codes are words. */
export function readMqttCode(error: Error): number | undefined {
  return 'code' in error && typeof error.code === 'number' ? error.code : undefined;
}

/** The server name that TLS asks for; `undefined` for a bare address. */
export function nameServer(url: URL): string | undefined {
  return isIP(readHost(url)) === 0 ? url.hostname : undefined;
}

/** The host of a URL in the form that sockets need: an IPv6 address without its brackets. */
export function readHost(url: URL): string {
  return url.hostname.replace(/^\[(.*)\]$/, '$1');
}

function isCertificateFault(code: string | undefined, error: Error): boolean {
  return (
    code !== undefined && (code.includes('CERT') || code.startsWith('ERR_TLS') || /certificate/i.test(error.message))
  );
}
