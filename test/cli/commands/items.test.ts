/**
 * `items`, `status` and `receivers` with a real node that has more items than it keeps on the bus, and with nodes that
 * are gone.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createBroker, type RunningBroker } from '../../../broker/create-broker.js';
import { createRequestClient } from '../../../src/cli/request/request-client.js';
import { composeClient, loadSigner } from '../../../src/compose/client.js';
import { allUp, isStatus, MAIN, openScene, type NodeProcess, type Scene } from '../../support/programs.js';

const COUNT = 150;

let broker: RunningBroker;
let scene: Scene;
let node: NodeProcess;

beforeAll(async () => {
  broker = await createBroker({ base: 'tritmesh', port: 0 });
  scene = openScene(broker.url);
  const ear = await scene.ear();
  node = await scene.node('alpha', 'fixed:0.1');
  await allUp(ear, ['alpha']);
  await submitMany();
  await ear.next(isStatus(nameItem(COUNT - 1), 'queued'));
  // A node that was last seen in January, and the last status of its item.
  const stamp = { v: 1, ts: '2026-01-05T00:00:00.000Z', boot: 1_767_000_000, seq: 9 };
  await ear.publish('tritmesh/node/omega/availability', 'offline', true);
  await ear.publish('tritmesh/node/omega/state', JSON.stringify({ ...stateOfAlpha(ear.heard), ...stamp }), true);
  const last = ear.heard.findLast(isStatus(nameItem(0), 'queued'));
  const { sig: _sig, ...said } = JSON.parse(last?.text ?? '{}') as Record<string, unknown>;
  const running = { ...said, ...stamp, phase: 'running', receiver: 'beta', name: 'old' };
  await ear.publish('tritmesh/work/omega/old-item/status', JSON.stringify(running), true);
}, 60_000);

afterAll(async () => {
  await scene.end();
  await broker.close();
});

describe('tritmesh items', () => {
  it('shows all waiting items, and their common reason once', async () => {
    const { code, stdout, stderr } = await scene.command(node, ['items']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    for (let index = 0; index < COUNT; index += 1) expect(stdout).toContain(nameItem(index));
    expect(stdout).toContain(`${COUNT} items of alpha are queued: no receiver`);
    expect(stdout.match(/it lacks the label gpu/g)).toHaveLength(1);
    expect(stdout).not.toContain('old-item');
    expect(stdout).toContain('1 item whose owner is gone not shown (--all shows them)');
  });

  it('has each of them with --json, and marks those of owners that are gone', async () => {
    const { stdout } = await scene.command(node, ['items', '--json']);
    const items = JSON.parse(stdout) as readonly { item: string; owner_gone: boolean; owner_online: boolean }[];
    expect(items).toHaveLength(COUNT + 1);
    expect(items.filter((one) => one.owner_gone)).toMatchObject([
      { item: 'old-item', owner: 'omega', owner_online: false },
    ]);
    expect(items.every((one) => one.owner_online || one.owner_gone)).toBe(true);
  });

  it('ends silently when its reader goes away', async () => {
    const flags = ['--broker', broker.url, '--id', 'alpha', '--state-dir', node.stateDir];
    const command = [process.execPath, MAIN, 'items', ...flags].map((part) => `'${part}'`).join(' ');
    const child = spawn('sh', ['-c', `{ ${command}; echo "code $?" >&2; } | head -1`], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let stderr = '';
    child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
    child.stdout.resume();
    await once(child, 'close');
    expect(stderr).toBe('code 0\n');
  });
});

describe('tritmesh status and receivers', () => {
  it('leave out nodes that are gone, with a note; --all and --json include them', async () => {
    const status = await scene.command(node, ['status']);
    expect(status.stdout).not.toContain('omega');
    expect(status.stdout).toContain('1 gone node not shown (--all shows them)');
    expect(status.stdout).toContain('alpha has 50 more waiting items than it keeps on the bus');
    expect((await scene.command(node, ['status', '--all'])).stdout).toMatch(/omega +gone, last seen \d+d ago/);
    const json = JSON.parse((await scene.command(node, ['status', '--json'])).stdout) as { members: object[] };
    expect(json.members).toMatchObject([
      { id: 'alpha', gone: false },
      { id: 'omega', gone: true },
    ]);
    expect((await scene.command(node, ['receivers'])).stdout).not.toContain('omega');
    expect((await scene.command(node, ['receivers', '--all'])).stdout).toMatch(/omega .*offline/);
  });
});

function nameItem(index: number): string {
  return `k${String(index).padStart(3, '0')}`;
}

function stateOfAlpha(heard: readonly { readonly topic: string; readonly text: string }[]): object {
  const state = heard.findLast((one) => one.topic === 'tritmesh/node/alpha/state');
  const { sig: _sig, ...fields } = JSON.parse(state?.text ?? '{}') as Record<string, unknown>;
  return fields;
}

async function submitMany(): Promise<void> {
  const client = composeClient({ broker: broker.url, base: 'tritmesh', id: 'alpha' });
  const signer = await loadSigner(node.stateDir, 'alpha');
  const requests = createRequestClient({ ...client, node: 'alpha', verbs: ['run'], signer });
  await client.connect();
  for (let index = 0; index < COUNT; index += 1) {
    const command = { argv: ['true'], env: {}, outputs: [] };
    const need = { cpus: 1, labels: ['gpu'], abilities: [] };
    await requests.send('run', { item: { item: nameItem(index), name: 'true', command, need } });
  }
  await client.close();
}
