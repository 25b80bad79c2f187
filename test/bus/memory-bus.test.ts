import { VirtualTimeScheduler } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { createMemoryBroker } from '../../src/bus/memory-broker.js';
import { createMemoryBus } from '../../src/bus/memory-bus.js';
import { describeBus } from '../conformance/bus.js';

describeBus('the bus in memory', () => {
  const broker = createMemoryBroker();
  return Promise.resolve({
    knowsNoLocal: true,
    createBus: ({ clientId, will }) => createMemoryBus({ broker, clientId, will }),
    cut: (clientId) => broker.cut(clientId),
    stopBroker: () => Promise.resolve(broker.stop()),
    startBroker: (options) => Promise.resolve(broker.start(options)),
    setAdmitted: (clientId, isAdmitted) =>
      Promise.resolve(broker.refuse(clientId, isAdmitted ? undefined : 'wrong password')),
    close: () => Promise.resolve(),
  });
});

describe('the broker in memory', () => {
  it('the broker calls nobody until its scheduler runs, and then everybody in order', () => {
    const scheduler = new VirtualTimeScheduler();
    const broker = createMemoryBroker({ scheduler });
    const bus = createMemoryBus({ broker, clientId: 'alpha' });
    const order: string[] = [];
    bus.link$.subscribe(({ state }) => order.push(state));
    bus.messages$.subscribe(({ payload }) => order.push(new TextDecoder().decode(payload)));
    bus.subscribe(['tritmesh/#']);
    bus.connect();
    expect(order).toEqual(['offline']);
    scheduler.flush();
    for (const payload of ['one', 'two']) {
      bus.publish({ topic: 'tritmesh/node/alpha/event', payload, qos: 0, retain: false }, () => order.push('done'));
    }
    expect(order).toEqual(['offline', 'online']);
    scheduler.flush();
    expect(order).toEqual(['offline', 'online', 'one', 'done', 'two', 'done']);
    expect(scheduler.now()).toBe(0);
  });
});
