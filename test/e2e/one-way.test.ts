/**
 * A peer that cannot be called: packets to the transfer port of one host, of the other, or of both are dropped, as ufw,
 * NAT or WSL2 do. Real hosts made of namespaces, real iptables.
 */
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { requirement } from '../support/requirements.js';
import { BROKERS, type TestBroker } from '../support/brokers.js';
import { canMakeHosts, PLACE, type Host } from '../support/two-hosts.js';
import { openTwoNodes, type HostNode, type TwoNodes } from '../support/two-nodes.js';

const PORT = 4711;
const canDrop =
  canMakeHosts && requirement('iptables', hasIptables(), 'apt-get install iptables, with CAP_NET_ADMIN and nf_tables');

describe.skipIf(!canDrop)('a peer that cannot be called', () => {
  let broker: TestBroker;
  let nodes: TwoNodes;
  let [owner, receiver] = [] as unknown as [HostNode, HostNode];
  beforeAll(async () => {
    const [first] = BROKERS;
    if (first === undefined) throw new Error('no broker');
    broker = await first.open();
    const env = { TRITMESH_TRANSFER_PORT: String(PORT), TRITMESH_TRANSFER_LISTEN: '::' };
    nodes = await openTwoNodes(broker, ['fixed:0.1', 'fixed:0.1'], [env, env]);
    [owner, receiver] = nodes.nodes;
    for (const node of nodes.nodes) await node.says('connected to the broker');
  });
  afterAll(async () => {
    await nodes.end();
    await broker.close();
  });
  beforeEach(() => writeFileSync(owner.host.path(join(PLACE, 'in.bin')), randomBytes(700_000)));
  afterEach(() => {
    for (const { host } of nodes.nodes) host.run('iptables', '-F', 'INPUT');
  });

  it('delivers small outputs inside the result, without a connection', async () => {
    drop(receiver.host);
    drop(owner.host);
    const ended = await owner.command(['run', '--away', '--', 'uname', '-n']);
    expect(ended).toMatchObject({ code: 0, stdout: 'two\n' });
  });

  it('pushes larger outputs if it is the receiver that is behind a firewall', async () => {
    drop(receiver.host);
    const script = 'head -c 1048576 /dev/urandom > big && sha256sum < big';
    const ended = await owner.command(['run', '--away', '--out', 'big', '--', 'sh', '-c', script], PLACE);
    expect(ended.code).toBe(0);
    expect(owner.host.run('sh', '-c', `sha256sum < ${PLACE}/big`)).toBe(ended.stdout);
  });

  it('gets its inputs pushed if it is the owner that is behind a firewall', async () => {
    drop(owner.host);
    const sum = owner.host.run('sha256sum', join(PLACE, 'in.bin')).split(' ')[0];
    const ended = await owner.command(['run', '--away', '--in', join(PLACE, 'in.bin'), '--', 'sha256sum', 'in.bin']);
    expect(ended).toMatchObject({ code: 0, stdout: `${sum ?? ''}  in.bin\n` });
  });

  it('keeps its result if there is no way at all, reports that in time, and is fetched later', async () => {
    drop(receiver.host);
    drop(owner.host);
    const marks = join(PLACE, 'marks');
    const script = `echo run >> ${marks}; head -c 100000 /dev/zero | tr '\\0' x`;
    const began = performance.now();
    const ended = await owner.command(['run', '--away', '--', 'sh', '-c', script]);
    // The promise is 15 s from the end of the job; a busy machine gets twice that.
    expect(performance.now() - began).toBeLessThan(30_000);
    expect(ended.code).toBe(125);
    expect(ended.stderr).toContain(`one cannot reach two (${receiver.host.address}:${PORT}: no answer`);
    expect(ended.stderr).toContain(`and two cannot reach one (${owner.host.address}:${PORT}: no answer`);
    const [id = ''] = /[a-z0-9]+-[a-z0-9]+(?= has run)/.exec(ended.stderr) ?? [];
    expect(ended.stderr).toContain(`tritmesh fetch ${id}`);

    const items = await owner.command(['items', '--json']);
    expect(items.stdout).toContain('"unreached": true');
    expect((await owner.command(['items'])).stdout).toContain(`${receiver.host.address}:${PORT}`);
    expect(owner.output()).toContain(`${receiver.host.address}:${PORT}: no answer`);
    const doctor = await owner.command(['doctor']);
    expect(doctor.stdout).toContain('neither reaches the other');
    expect(doctor.stdout).toContain(`${owner.host.address}:${PORT}: no answer`);
    const cancelled = await owner.command(['cancel', id]);
    expect(cancelled).toMatchObject({ code: 1 });
    expect(cancelled.stderr).toContain('has run already (exit code 0)');
    const early = await owner.command(['fetch', id]);
    expect(early).toMatchObject({ code: 125 });

    receiver.host.run('iptables', '-F', 'INPUT');
    const fetched = await owner.command(['fetch', id]);
    expect(fetched).toMatchObject({ code: 0, stdout: 'x'.repeat(100_000) });
    expect(readFileSync(receiver.host.path(marks), 'utf8')).toBe('run\n');
    expect((await owner.command(['fetch', id])).code).toBe(0);
  });
});

/** Drops packets to the transfer port: connections are not refused, and open ones become silent. */
function drop(host: Host): void {
  host.run('iptables', '-A', 'INPUT', '-p', 'tcp', '--dport', String(PORT), '-j', 'DROP');
}

/** Whether packets can be dropped here; tried in a temporary namespace. */
function hasIptables(): boolean {
  try {
    execFileSync('unshare', ['-n', 'iptables', '-A', 'INPUT', '-p', 'tcp', '--syn', '-j', 'DROP'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}
