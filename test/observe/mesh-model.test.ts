/** The model that a reader builds ranks receivers as the mesh itself does. */
import { expect, it } from 'vitest';
import { createMeshModel } from '../../src/observe/mesh-model.js';
import { formatMeshState } from '../../src/pipelines/mesh/publish-mesh.js';
import type { Message } from '../../src/protocol/messages.js';
import { createInfo, createMember, createState, createTable, meshRules } from '../support/samples.js';

it('near-equal receivers are ranked as the reporter publishes them', () => {
  const names = Array.from({ length: 12 }, (_, index) => `node-${index}`);
  const model = createMeshModel(meshRules);
  const stamp = { v: 1, ts: '', boot: 1, seq: 1 } as const;
  for (const node of names) {
    const info: Message<'info'> = { ...stamp, ...createInfo() };
    const state: Message<'state'> = { ...stamp, seq: 2, ...createState() };
    model.handle({ type: 'message', kind: 'info', topic: { kind: 'info', node }, message: info, retained: true }, 0);
    model.handle(
      { type: 'message', kind: 'state', topic: { kind: 'state', node }, message: state, retained: false },
      0,
    );
    model.handle({ type: 'word', topic: { kind: 'availability', node }, text: 'online', retained: true }, 0);
  }
  const published = formatMeshState(createTable(...names.map((id) => createMember(id))), 0, meshRules);
  expect(published?.receivers).toHaveLength(3);
  expect(model.snapshot(0, 0).receivers.ranked.slice(0, 3)).toEqual(published?.receivers);
});
