/** What a broker's URL must look like. It opens no connection. */

const PROTOCOLS: ReadonlySet<string> = new Set(['mqtt:', 'mqtts:', 'ws:', 'wss:']);

/**
 * Says what is wrong with a broker's URL, or `undefined` if it is good. Credentials in it are refused: the URL is shown in
 * messages and logs.
 */
export function findBrokerFault(text: string): string | undefined {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !PROTOCOLS.has(url.protocol) || url.hostname === '') {
    return 'must be a URL such as mqtt://host:1883, mqtts://host:8883, ws://host:8787 or wss://host:443';
  }
  if (url.username !== '' || url.password !== '') {
    return 'must not contain credentials: give username and password_file';
  }
  if (url.hash !== '') return 'must not contain a "#"';
  if (url.protocol.startsWith('mqtt') && (url.search !== '' || !['', '/'].includes(url.pathname))) {
    return 'must end after the port: only ws:// and wss:// have a path';
  }
  return undefined;
}

/** A URL as it may be shown: without what looks like credentials. */
export function hideCredentials(text: string): string {
  return text.replace(/\/\/[^/]*@/, '//…@');
}
