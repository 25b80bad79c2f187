/** Checks the URL of a broker. It opens no connection. */

const PROTOCOLS: ReadonlySet<string> = new Set(['mqtt:', 'mqtts:', 'ws:', 'wss:']);

/**
 * What is wrong with the URL of a broker; `undefined` if it is valid. Credentials are refused, because the URL is shown
 * in messages and logs.
 */
export function findBrokerFault(text: string): string | undefined {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !PROTOCOLS.has(url.protocol) || url.hostname === '') {
    return 'must be a URL such as mqtt://host:1883, mqtts://host:8883, ws://host:8787 or wss://host:443';
  }
  if (url.username !== '' || url.password !== '') {
    return 'must not contain credentials: use username and password_file instead';
  }
  if (url.hash !== '') return 'must not contain a "#"';
  if (url.protocol.startsWith('mqtt') && (url.search !== '' || !['', '/'].includes(url.pathname))) {
    return 'must end after the port: only ws:// and wss:// URLs may have a path';
  }
  return undefined;
}

/** A URL for display: anything that looks like credentials is masked. */
export function hideCredentials(text: string): string {
  return text.replace(/\/\/[^/]*@/, '//…@');
}
