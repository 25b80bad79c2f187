import { describe, expect, it } from 'vitest';
import {
  findAdvertiseFault,
  findListenFault,
  formatPeerUrl,
  parsePeerAddress,
  parsePeerUrl,
} from '../../src/protocol/peer-address.js';

describe('an address of a peer', () => {
  it.each<[string, { host: string; port?: number }]>([
    ['nas', { host: 'nas' }],
    ['nas.lan.', { host: 'nas.lan.' }],
    ['my_host-2.lan:8443', { host: 'my_host-2.lan', port: 8443 }],
    ['192.168.1.5', { host: '192.168.1.5' }],
    ['192.168.1.5:65535', { host: '192.168.1.5', port: 65_535 }],
    ['fd00::1', { host: 'fd00::1' }],
    ['[fd00::1]', { host: 'fd00::1' }],
    ['[::ffff:10.0.0.1]:1', { host: '::ffff:10.0.0.1', port: 1 }],
  ])('is read from %s', (text, address) => {
    expect(parsePeerAddress(text)).toEqual(address);
    expect(findAdvertiseFault(text)).toBeUndefined();
  });

  it.each([
    'foo bar',
    '',
    ':8443',
    'nas:',
    'nas:0',
    'nas:65536',
    'nas:http',
    'https://nas:8443',
    'nas:1:2',
    'nas/path',
    '-nas',
    'nas-',
    'nas..lan',
    '256.1.1.1',
    '10.1',
    '10.0.0.01',
    'fd00::1%eth0',
    'fe80::1::2',
    '[nas]:1',
    '[fd00::1]1',
    `${'a'.repeat(64)}.lan`,
    `${'a.'.repeat(127)}b`,
    '0.0.0.0',
    '[::]:8443',
  ])('is never %j', (text) => {
    expect(findAdvertiseFault(text)).toMatch(/^must be addresses that peers call/);
  });

  it('can be listened on if it has no port', () => {
    for (const good of ['::', '0.0.0.0', '127.0.0.1', 'nas.lan', 'fd00::1'])
      expect(findListenFault(good)).toBeUndefined();
    for (const bad of ['foo bar', 'nas:1', '[::]', '0.0.0.0:1', '']) expect(findListenFault(bad)).toMatch(/^must be/);
  });

  it('survives the round trip through a URL', () => {
    for (const [host, url] of [
      ['fd00::1', 'https://[fd00::1]:7'],
      ['nas.lan', 'https://nas.lan:7'],
    ] as const) {
      expect(formatPeerUrl(host, 7)).toBe(url);
      expect(parsePeerUrl(url)).toEqual({ host, port: 7 });
    }
    for (const bad of ['https://nas', 'http://nas:7', 'https://nas:7:7', 'nas:7'])
      expect(parsePeerUrl(bad)).toBeUndefined();
  });
});
