/**
 * Addresses as in home labs: hosts with IPv6 only, unreachable addresses before the right one, a bridge that both hosts
 * have, and user settings in transfer.advertise. Real hosts made of namespaces.
 */
import { afterEach, describe, expect, it } from 'vitest';
import { BROKERS, type TestBroker } from '../support/brokers.js';
import { canMakeHosts, PLACE, type Host } from '../support/two-hosts.js';
import { openTwoNodes, type TwoNodes } from '../support/two-nodes.js';

const PORT = 4712;
const BOTH = { TRITMESH_TRANSFER_PORT: String(PORT), TRITMESH_TRANSFER_LISTEN: '::' };
/** Too large for a result: it takes a connection. */
const SCRIPT = `head -c 100000 /dev/zero | tr '\\0' x`;

describe.skipIf(!canMakeHosts)('a node', () => {
  const cleanups: (() => Promise<void>)[] = [];
  afterEach(async () => {
    for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
  });

  async function open(
    env: Readonly<Record<string, string>>,
    prepare: (hosts: readonly Host[]) => void,
  ): Promise<TwoNodes> {
    const [first] = BROKERS;
    if (first === undefined) throw new Error('no broker');
    const broker: TestBroker = await first.open();
    cleanups.push(() => broker.close());
    const mesh = await openTwoNodes(
      broker,
      ['fixed:0.1', 'fixed:0.1'],
      [
        { ...BOTH, ...env },
        { ...BOTH, ...env },
      ],
    );
    cleanups.push(() => mesh.end());
    prepare(mesh.two.hosts);
    for (const node of mesh.nodes) await node.says('connected to the broker');
    return mesh;
  }

  async function runAway({ nodes: [owner] }: TwoNodes): Promise<void> {
    const ended = await owner.command(['run', '--away', '--', 'sh', '-c', SCRIPT]);
    expect(ended).toMatchObject({ code: 0, stdout: 'x'.repeat(100_000) });
  }

  it('is called over IPv6 if it advertises nothing else', async () => {
    const mesh = await open({}, (hosts) => {
      for (const [at, host] of hosts.entries()) {
        host.run('ip', 'addr', 'add', `fd00:4712::${at + 1}/64`, 'dev', deviceOf(host), 'nodad');
        // As if there were no IPv4 between them; only the broker is still reached over it.
        host.run('ip', 'route', 'add', 'blackhole', `${mesh4(hosts, at)}/32`);
      }
    });
    await runAway(mesh);
  });

  it('is called at once although the addresses of a tunnel and a bridge are unreachable', async () => {
    const mesh = await open({}, (hosts) => {
      for (const [at, host] of hosts.entries()) {
        for (const [name, address] of [
          ['docker0', '172.17.0.1/16'],
          ['wg0', `10.99.0.${at + 1}/24`],
        ] as const) {
          // A device without a link is not advertised at all.
          host.run('ip', 'link', 'add', name, 'type', 'veth', 'peer', 'name', `${name}p`);
          host.run('ip', 'link', 'set', `${name}p`, 'up');
          host.run('ip', 'addr', 'add', address, 'dev', name);
          host.run('ip', 'link', 'set', name, 'up');
        }
      }
    });
    await runAway(mesh);
  });

  it('is called at the configured names and ports, although some are dead', async () => {
    const mesh = await open(
      { TRITMESH_TRANSFER_ADVERTISE: 'no-such-host.invalid,192.0.2.9:1,localhost:4712,two:4712,one:4712' },
      (hosts) => {
        for (const host of hosts)
          host.run('sh', '-c', `cp /etc/hosts ${PLACE}/hosts; mount --bind ${PLACE}/hosts /etc/hosts`);
        for (const host of hosts)
          for (const other of hosts) host.run('sh', '-c', `echo '${other.address} ${other.name}' >> /etc/hosts`);
      },
    );
    await runAway(mesh);
  });

  it('refuses an invalid address, with field, value and what was expected', async () => {
    const mesh = await open({}, () => undefined);
    const [owner] = mesh.nodes;
    for (const bad of ['foo bar', 'https://nas:1', 'nas:0', '0.0.0.0']) {
      const ended = await owner.command(['node', '--transfer-advertise', bad]);
      expect(ended.code).toBe(2);
      expect(ended.stderr).toContain('transfer.advertise');
      expect(ended.stderr).toContain(bad);
      expect(ended.stderr).toContain('must be addresses that peers call');
    }
  });
});

/** The other host's IPv4 address. */
function mesh4(hosts: readonly Host[], at: number): string {
  return hosts[1 - at]?.address ?? '';
}

function deviceOf(host: Host): string {
  return host.run('sh', '-c', `ip -o -4 addr show | awk '$4 ~ /^${host.address}/ { print $2 }'`).trim();
}
