/** The example of the library, run as a reader would run it. */
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createBroker, type RunningBroker } from '../../broker/create-broker.js';
import { openScene, runProgram, type Scene } from '../support/programs.js';

const EXAMPLE = fileURLToPath(new URL('../../docs/examples/two-nodes.mjs', import.meta.url));

let broker: RunningBroker;
let scene: Scene;

beforeAll(async () => {
  broker = await createBroker({ base: 'tritmesh', port: 0 });
  scene = openScene(broker.url);
});
afterAll(async () => {
  await scene.end();
  await broker.close();
});

it('runs two nodes and a view of their mesh in one program', async () => {
  const ended = await runProgram(process.execPath, [EXAMPLE, broker.url, await scene.directory()]);
  expect(ended.stderr).toBe('');
  expect(ended.stdout).toBe('sum 0, direction rest\nuname ran on idle with exit code 0\n');
  expect(ended.code).toBe(0);
});
