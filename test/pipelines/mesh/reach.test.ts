/** Whom a node reaches, depending on its link; and what is mirrored to its local socket. */
import { NEVER } from 'rxjs';
import { describe, expect, it } from 'vitest';
import type { Bus, BusPublish } from '../../../src/bus/bus.js';
import type { LocalDoor } from '../../../src/bus/local-door.js';
import { mirrorBus } from '../../../src/pipelines/mesh/mirror.js';
import { createReach } from '../../../src/pipelines/mesh/reach.js';

const mesh = { offlineAfterMs: 3000 };

describe('the reach of a node', () => {
  it('is itself until the broker answered, everyone while it is there, and itself when it goes', () => {
    const reach = createReach('alpha', mesh);
    const alone = (why: string): object => ({
      ...mesh,
      alone: { self: 'alpha', reason: `the broker is away (${why})` },
    });
    reach.handle({ type: 'LinkChanged', online: false, reason: 'not connected yet' });
    expect(reach.isAlone).toBe(true);
    expect(reach.rules()).toEqual(alone('it has not answered yet'));
    reach.handle({ type: 'LinkChanged', online: true, reason: '' });
    expect(reach.isAlone).toBe(false);
    expect(reach.rules()).toBe(mesh);
    reach.handle({ type: 'LinkChanged', online: false, reason: 'no answer to a ping' });
    expect(reach.isAlone).toBe(true);
    expect(reach.rules()).toEqual(alone('no answer to a ping'));
  });
});

describe('the mirror', () => {
  it('shows on the local socket what is published, whether or not the broker accepts it, and forgets there too', () => {
    const published: string[] = [];
    const shown: string[] = [];
    const bus: Bus = {
      link$: NEVER,
      messages$: NEVER,
      refused$: NEVER,
      connect: () => undefined,
      subscribe: () => undefined,
      publish: (message, done) => {
        published.push(message.topic);
        done?.(new Error('offline'));
      },
      forget: (topic) => published.push(`forget ${topic}`),
      close: () => undefined,
    };
    const door: LocalDoor = {
      messages$: NEVER,
      submissions$: NEVER,
      refused$: NEVER,
      setOnline: () => undefined,
      open: () => undefined,
      show: (message) => shown.push(message.topic),
      forget: (topic) => shown.push(`forget ${topic}`),
      close: () => undefined,
    };
    const message: BusPublish = { topic: 'a', payload: 'x', qos: 1, retain: true };
    const mirrored = mirrorBus(bus, door);
    mirrored.publish(message);
    mirrored.forget('a');
    expect(shown).toEqual(['a', 'forget a']);
    expect(published).toEqual(['a', 'forget a']);
    expect(mirrorBus(bus, undefined)).toBe(bus);
  });
});
