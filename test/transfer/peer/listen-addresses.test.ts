import type { NetworkInterfaceInfo } from 'node:os';
import { describe, expect, it } from 'vitest';
import { listAdvertised, listUrls } from '../../../src/transfer/peer/listen-addresses.js';

function info(address: string, internal = false): NetworkInterfaceInfo {
  const rest = { address, netmask: '', mac: '', internal, cidr: null };
  return address.includes(':') ? { ...rest, family: 'IPv6', scopeid: 0 } : { ...rest, family: 'IPv4' };
}

const interfaces = {
  lo: [info('127.0.0.1', true), info('::1', true)],
  docker0: [info('172.17.0.1')],
  eth0: [info('fe80::1'), info('2001:db8::5'), info('192.168.1.5')],
  wlan0: [info('169.254.3.4'), info('10.0.0.7')],
  tailscale0: [info('100.101.5.6')],
};

describe('the addresses of a listener', () => {
  it.each<[string, readonly string[]]>([
    ['127.0.0.1', ['https://127.0.0.1:4711']],
    ['::1', ['https://[::1]:4711']],
    [
      '0.0.0.0',
      [
        'https://192.168.1.5:4711',
        'https://10.0.0.7:4711',
        'https://100.101.5.6:4711',
        'https://172.17.0.1:4711',
        'https://169.254.3.4:4711',
      ],
    ],
    [
      '::',
      [
        'https://192.168.1.5:4711',
        'https://10.0.0.7:4711',
        'https://[2001:db8::5]:4711',
        'https://100.101.5.6:4711',
        'https://172.17.0.1:4711',
        'https://169.254.3.4:4711',
      ],
    ],
  ])('on %s are those that peers can reach, best first', (host, urls) => {
    expect(listUrls(host, 4711, interfaces)).toEqual(urls);
  });

  it('are loopback on a machine without a network', () => {
    expect(listUrls('0.0.0.0', 4711, { lo: interfaces.lo })).toEqual(['https://127.0.0.1:4711']);
  });

  it.each(['0.0.0.0', '::'])('are never those of loopback on a machine that has IPv6 only (%s)', (host) => {
    const urls = listUrls(host, 4711, { lo: interfaces.lo, eth0: [info('fe80::1'), info('fd00::5')] });
    expect(urls).toEqual(host === '::' ? ['https://[fd00::5]:4711'] : []);
  });

  it('are those that a person named, with the port of the listener where none stands', () => {
    const named = ['nas.lan', 'nas.lan:443', '[fd00::1]:443', 'fd00::2', '192.0.2.7'];
    expect(listAdvertised(named, 4711)).toEqual([
      'https://nas.lan:4711',
      'https://nas.lan:443',
      'https://[fd00::1]:443',
      'https://[fd00::2]:4711',
      'https://192.0.2.7:4711',
    ]);
  });

  it('are never more than an ack may name', () => {
    const many = { eth0: Array.from({ length: 40 }, (_none, at) => info(`10.0.0.${at}`)) };
    expect(listUrls('0.0.0.0', 1, many)).toHaveLength(16);
  });
});
