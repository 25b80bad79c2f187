import type { NetworkInterfaceInfo } from 'node:os';
import { describe, expect, it } from 'vitest';
import { orderUrls } from '../../../src/transfer/peer/order-urls.js';

function info(cidr: string, internal = false): NetworkInterfaceInfo {
  const address = cidr.split('/')[0] ?? '';
  const rest = { address, netmask: '', mac: '', internal, cidr };
  return address.includes(':') ? { ...rest, family: 'IPv6', scopeid: 0 } : { ...rest, family: 'IPv4' };
}

const interfaces = {
  lo: [info('127.0.0.1/8', true), info('::1/128', true)],
  docker0: [info('172.17.0.1/16')],
  wg0: [info('10.8.0.2/24')],
  eth0: [info('192.168.1.5/24'), info('fd00:1::5/64')],
};
const NONE: ReadonlySet<string> = new Set();

describe('the order of the addresses of a peer', () => {
  const [bridge, vpn, far, near, near6, name] = [
    'https://172.17.0.1:1',
    'https://10.8.0.9:1',
    'https://203.0.113.9:1',
    'https://192.168.1.9:1',
    'https://[fd00:1::9]:1',
    'https://nas.lan:1',
  ];

  it('begins with those in a network of both, then a tunnel of both; a bridge that both have is none', () => {
    expect(orderUrls([bridge, vpn, far, near, near6, name], interfaces, undefined, NONE)).toEqual([
      near,
      near6,
      vpn,
      bridge,
      far,
      name,
    ]);
  });

  it('begins with the one that answered last, and ends with those that broke', () => {
    expect(orderUrls([near, far, name], interfaces, far, new Set([near]))).toEqual([far, name, near]);
  });

  it('is that of the peer where nothing is known, each once', () => {
    expect(orderUrls([far, name, far], {}, 'https://gone:1', NONE)).toEqual([far, name]);
  });
});
