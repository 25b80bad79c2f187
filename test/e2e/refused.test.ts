/**
 * A node whose user may not publish as that node: on Mosquitto with the shipped ACL, with MQTT 5, which reports it, and
 * with 3.1.1, which does not; and on the embedded broker, which refuses or closes the connection. The log and `doctor`
 * report what is wrong and what to do.
 */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { createBroker } from '../../broker/create-broker.js';
import { hasMosquitto, startMosquitto } from '../support/mosquitto.js';
import { startOldProtocolProxy } from '../support/old-protocol-proxy.js';
import { MAIN, openScene, type NodeProcess, type Scene } from '../support/programs.js';

const endings: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const end of endings.splice(0).toReversed()) await end();
});

const USERS = { alpha: 'secret', bob: 'secret' };
const asBob = { TRITMESH_USERNAME: 'bob', TRITMESH_PASSWORD: 'secret' };
const asItself = { TRITMESH_USERNAME: 'alpha', TRITMESH_PASSWORD: 'secret' };

describe.skipIf(!hasMosquitto())('a user that may not write as the node, on Mosquitto', () => {
  it('is reported by MQTT 5, once for each kind of topic', async () => {
    const scene = open(await mosquittoUrl());
    const node = await scene.node('alpha', 'fixed:0.1', asBob);
    await says(node, /the broker refuses tritmesh\/node\/alpha\/state: .*does not let user bob write there/);
    expect(node.output()).toContain('give the node the user of its own name (--username)');
    await expectDoctor(node, /user bob/);
    // It published its state several times and was refused each time, but logs it once.
    expect(node.output().match(/the broker refuses tritmesh\/node\/alpha\/state/g)).toHaveLength(1);
  });

  it('is noticed by missing messages, where MQTT 3.1.1 acknowledges everything', async () => {
    const proxy = await startOldProtocolProxy(Number(new URL(await mosquittoUrl()).port));
    endings.push(() => proxy.close());
    const scene = open(proxy.url);
    const node = await scene.node('alpha', 'fixed:0.1', asBob);
    await says(node, /tritmesh\/node\/alpha\/info was published and does not come back/);
    await expectDoctor(node, /the broker acknowledged the event, but did not deliver it/);
  });

  it('works with the right user, and doctor has no complaint', async () => {
    const scene = open(await mosquittoUrl());
    const node = await scene.node('alpha', 'fixed:0.1', asItself);
    await says(node, /connected to the broker/);
    await vi.waitUntil(async () => (await doctor(node, asItself)).includes('online and answering'), {
      timeout: 20_000,
    });
    expect(await doctor(node, asItself)).toMatch(/publishing +good +works as user alpha/);
    expect(node.output()).not.toMatch(/refuse|come back/);
  });
});

describe('a user that may not publish as the node, on the embedded broker', () => {
  it('is told why it is refused', { timeout: 120_000 }, async () => {
    const users = join(await directory(), 'users');
    for (const user of Object.keys(USERS)) {
      execFileSync(process.execPath, [MAIN, 'broker', 'passwd', user, '--password-file', users], { input: 'secret\n' });
    }
    const broker = await createBroker({ base: 'tritmesh', port: 0, passwordFile: users });
    endings.push(() => broker.close());
    const scene = open(broker.url);
    const node = await scene.node('alpha', 'fixed:0.1', asBob);
    await says(node, /or does not let user bob write tritmesh\/node\/alpha\/availability/);
    expect(node.output()).toContain('a node logs in as the user of its own name');
    await expectDoctor(node, /closed the connection after the event was published/);
    // With the right user, the same node is seen.
    const isSeen = /publishing +good +works as user alpha/;
    await vi.waitUntil(async () => isSeen.test(await doctor(node, asItself)), { timeout: 40_000 });
  });
});

async function mosquittoUrl(): Promise<string> {
  const mosquitto = await startMosquitto({ users: USERS });
  endings.push(() => mosquitto.close());
  return mosquitto.url;
}

let scene: Scene;

function open(url: string): Scene {
  scene = openScene(url);
  endings.push(scene.end);
  return scene;
}

async function directory(): Promise<string> {
  return open('mqtt://127.0.0.1:1').directory();
}

async function says(node: NodeProcess, pattern: RegExp): Promise<void> {
  await vi.waitFor(() => expect(node.output()).toMatch(pattern), { timeout: 50_000, interval: 50 });
}

/** Doctor reports what is wrong, and does not suggest starting a node that runs. */
async function expectDoctor(node: NodeProcess, found: RegExp): Promise<void> {
  const text = await doctor(node, asBob);
  expect(text).toMatch(found);
  expect(text).toMatch(new RegExp(`runs here \\(process ${node.pid}\\), but is not visible`));
  expect(text).toContain('--username alpha');
  expect(text).not.toContain('start it with');
}

async function doctor(node: NodeProcess, who: Readonly<Record<string, string>>): Promise<string> {
  const flags = ['--username', who['TRITMESH_USERNAME'] ?? '', '--password', who['TRITMESH_PASSWORD'] ?? ''];
  return (await scene.command(node, ['doctor', ...flags])).stdout;
}
