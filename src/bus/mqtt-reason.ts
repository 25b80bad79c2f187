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

/** A sentence for a CONNACK or DISCONNECT code of MQTT 3.1.1 (1-5) or MQTT 5 (128 and up). */
export function describeRefusal(code: number, url: URL): string {
  const broker = `the broker at ${namePlace(url)}`;
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
      return `${broker} refused the user name or password`;
    case 138:
      return `${broker} banned this client`;
    case 142:
      return `another client took over this client id at ${namePlace(url)}`;
    default:
      return `${broker} refused the connection (MQTT code ${code})`;
  }
}

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
