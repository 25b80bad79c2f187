import { describe, expect, it } from 'vitest';
import { describeFailure, describeRefusal, nameServer, readHost } from '../../../src/bus/mqtt/mqtt-reason.js';

const url = new URL('mqtts://alpha:hunter2@broker.lan:8883/path');
const withCode = (code: string, message = 'something'): Error => Object.assign(new Error(message), { code });

describe('the reason why there is no connection', () => {
  it.each([
    [
      'names the broker that refused the connection',
      withCode('ECONNREFUSED'),
      'connection refused at mqtts://broker.lan:8883',
    ],
    ['names the host that is not found', withCode('ENOTFOUND'), 'the host broker.lan was not found'],
    ['says that there is no route', withCode('EHOSTUNREACH'), 'no route to mqtts://broker.lan:8883'],
    [
      'says that a certificate is not trusted',
      withCode('DEPTH_ZERO_SELF_SIGNED_CERT', 'self-signed'),
      'not trusted: self-signed',
    ],
    ['says that the broker does not answer', new Error('connack timeout'), 'no answer from mqtts://broker.lan:8883'],
    ['says that the broker stopped responding', new Error('Keepalive timeout'), 'stopped responding'],
    ['passes on an unknown error', withCode('EWEIRD', 'odd'), 'failed: odd'],
  ])('the reason %s', (_title, error, expected) => {
    const reason = describeFailure(error, url);
    expect(reason).toContain(expected);
    expect(reason).not.toContain('hunter2');
  });

  it.each([
    ['a wrong password under MQTT 3.1.1', 4, 'refused the user name or password'],
    ['a wrong password under MQTT 5', 134, 'refused the user name or password'],
    ['missing rights', 135, 'refused the user name or password'],
    ['a client id that another client took over', 142, 'another client took over'],
    ['a broker that is shutting down', 139, 'unavailable'],
    ['an unknown code', 200, '(MQTT code 200)'],
  ])('the reason for %s is a sentence', (_title, code, expected) => {
    const reason = describeRefusal(code, url);
    expect(reason).toContain(expected);
    expect(reason).not.toContain('hunter2');
  });

  it('TLS asks for a certificate by name, but not for a bare address', () => {
    expect(nameServer(url)).toBe('broker.lan');
    expect(nameServer(new URL('mqtts://192.0.2.1'))).toBeUndefined();
    expect(nameServer(new URL('mqtts://[::1]:8883'))).toBeUndefined();
    expect(readHost(new URL('mqtts://[::1]:8883'))).toBe('::1');
  });
});
