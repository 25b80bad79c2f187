/**
 * What every adapter of the Bus port must do. Each adapter's test runs this suite with its own harness. A promise of
 * the port that is not tested here is not kept.
 */
import { filter, firstValueFrom, ReplaySubject, take, toArray, type Observable } from 'rxjs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  BusOffline,
  type Bus,
  type BusLink,
  type BusMessage,
  type BusPublish,
  type BusWill,
} from '../../src/bus/bus.js';

/** The client id and will of a bus. */
export interface BusClientOptions {
  readonly clientId: string;
  readonly will?: BusWill;
}

/** A broker, and the means to stop it and to break connections. */
export interface BusHarness {
  /** The broker can leave out what a client published itself. */
  readonly knowsNoLocal: boolean;
  /** Creates a bus that is not connected. */
  createBus(wish: BusClientOptions): Bus;
  /** Breaks the connection of a client. */
  cut(clientId: string): void;
  stopBroker(): Promise<void>;
  /** Starts it again at the same address; with `forgetful`, without its retained messages. */
  startBroker(options: { readonly forgetful: boolean }): Promise<void>;
  /** Refuses a client from its next connect on (a wrong password), or admits it again. */
  setAdmitted(clientId: string, isAdmitted: boolean): Promise<void>;
  close(): Promise<void>;
}

/** The base topic. The clients alpha, beta and gamma publish only what a broker with an ACL allows. */
const BASE = 'tritmesh';
const AVAILABILITY = `${BASE}/node/alpha/availability`;
const STATE = `${BASE}/node/alpha/state`;
/** Everyone may publish it. */
const END = `${BASE}/node/alpha/request/end`;
const WILL: BusWill = { topic: AVAILABILITY, payload: 'offline' };

/** Runs the suite. */
export function describeBus(name: string, createHarness: () => Promise<BusHarness>): void {
  describe(`${name} keeps the promises of the bus`, () => {
    let harness: BusHarness;
    let clients: Client[];

    beforeEach(async () => {
      clients = [];
      harness = await createHarness();
    });
    afterEach(async () => {
      await Promise.all(clients.map((client) => client.close()));
      await harness.close();
    });

    function createClient(wish: BusClientOptions, filters: readonly string[] = []): Client {
      const client = watch(harness.createBus(wish), wish.clientId);
      client.bus.subscribe(filters);
      clients.push(client);
      return client;
    }

    async function connectClient(wish: BusClientOptions, filters: readonly string[] = []): Promise<Client> {
      const client = createClient(wish, filters);
      client.bus.connect();
      await client.untilOnline(1);
      return client;
    }

    it('starts offline, not connected yet, and gives a late subscriber the present state first', async () => {
      const client = createClient({ clientId: 'alpha' });
      expect(await firstValueFrom(client.bus.link$)).toEqual({ state: 'offline', reason: 'not connected yet' });
      client.bus.connect();
      client.bus.connect();
      await client.untilOnline(1);
      expect(await firstValueFrom(client.bus.link$)).toEqual({ state: 'online' });
      expect(client.links).toEqual([{ state: 'offline', reason: 'not connected yet' }, { state: 'online' }]);
    });

    it('carries messages to every subscriber, byte for byte, in the order of their publisher', async () => {
      const beta = await connectClient({ clientId: 'beta' }, [`${BASE}/node/+/response/+`]);
      const gamma = await connectClient({ clientId: 'gamma' }, [`${BASE}/#`]);
      const alpha = await connectClient({ clientId: 'alpha' });
      const sent = Array.from({ length: 200 }, (_, index) => `{"n":${index},"text":"€ ü \\u0000"}`);
      const dones = sent.map((payload) => alpha.publish({ ...quiet(`${BASE}/node/alpha/response/ping`), payload }));
      expect(await Promise.all(dones)).toEqual(sent.map(() => undefined));
      for (const subscriber of [beta, gamma]) {
        const heard = await subscriber.receive(sent.length);
        expect(heard.map(({ text }) => text)).toEqual(sent);
        expect(heard.every(({ retained }) => !retained)).toBe(true);
      }
    });

    it('delivers nothing of other filters', async () => {
      const beta = await connectClient({ clientId: 'beta' }, [`${BASE}/work/+/+/offer`]);
      const alpha = await connectClient({ clientId: 'alpha' });
      await alpha.publish({ ...quiet(`${BASE}/work/alpha/i1/lease`), payload: 'other' });
      await alpha.publish({ ...quiet(`${BASE}/work/alpha/i1/offer`), payload: 'wanted' });
      expect((await beta.receive(1)).map(({ text }) => text)).toEqual(['wanted']);
    });

    it('sends a client what it publishes itself', async () => {
      const alpha = await connectClient({ clientId: 'alpha' }, [STATE]);
      await alpha.publish(retained(STATE, 'own'));
      expect(await alpha.receive(1)).toEqual([{ topic: STATE, text: 'own', retained: false }]);
    });

    it('leaves out what a client publishes itself, where the broker can, if it asks for that', async () => {
      const alpha = createClient({ clientId: 'alpha' }, [END]);
      alpha.bus.subscribe([`${BASE}/work/+/+/offer`], { noLocal: true });
      const beta = await connectClient({ clientId: 'beta' });
      alpha.bus.connect();
      for (const round of [1, 2]) {
        await alpha.untilOnline(round);
        alpha.bus.subscribe([`${BASE}/work/+/+/lease`], { noLocal: true });
        await alpha.publish({ ...quiet(`${BASE}/work/alpha/i1/offer`), payload: 'own' });
        await alpha.publish({ ...quiet(`${BASE}/work/alpha/i1/lease`), payload: 'own' });
        await beta.publish({ ...quiet(`${BASE}/work/beta/i1/offer`), payload: 'of another' });
        await beta.publish({ ...quiet(`${BASE}/work/beta/i1/lease`), payload: 'of another' });
        await beta.publish({ ...quiet(END), payload: 'end' });
        const heard = harness.knowsNoLocal ? 3 : 5;
        const texts = (await alpha.receive(round * heard)).slice(-heard).map(({ text }) => text);
        expect(texts.filter((text) => text === 'own')).toHaveLength(heard - 3);
        expect(texts.filter((text) => text !== 'own')).toEqual(['of another', 'of another', 'end']);
        if (round === 1) harness.cut('alpha');
      }
    });

    it('publishes messages of QoS 0, too', async () => {
      const beta = await connectClient({ clientId: 'beta' }, [`${BASE}/node/+/event`]);
      const alpha = await connectClient({ clientId: 'alpha' });
      expect(
        await alpha.publish({ topic: `${BASE}/node/alpha/event`, payload: 'e', qos: 0, retain: false }),
      ).toBeUndefined();
      expect((await beta.receive(1)).map(({ text }) => text)).toEqual(['e']);
    });

    it('replays retained messages to a later subscriber, marked so, and live ones unmarked', async () => {
      const alpha = await connectClient({ clientId: 'alpha' });
      await alpha.publish(retained(STATE, 'one'));
      const beta = await connectClient({ clientId: 'beta' }, [`${BASE}/node/+/state`]);
      expect(await beta.receive(1)).toEqual([{ topic: STATE, text: 'one', retained: true }]);
      await alpha.publish(retained(STATE, 'two'));
      expect((await beta.receive(2))[1]).toEqual({ topic: STATE, text: 'two', retained: false });
    });

    it('replays retained messages of filters that are added while connected', async () => {
      const alpha = await connectClient({ clientId: 'alpha' });
      await alpha.publish(retained(STATE, 'one'));
      const beta = await connectClient({ clientId: 'beta' });
      beta.bus.subscribe([STATE]);
      expect(await beta.receive(1)).toEqual([{ topic: STATE, text: 'one', retained: true }]);
    });

    it('reports online before it delivers the first messages of its subscriptions', async () => {
      const alpha = await connectClient({ clientId: 'alpha' });
      await alpha.publish(retained(STATE, 'one'));
      const beta = createClient({ clientId: 'beta' }, [STATE]);
      const order: string[] = [];
      beta.bus.link$.subscribe(({ state }) => order.push(state));
      beta.bus.messages$.subscribe(({ topic }) => order.push(topic));
      beta.bus.connect();
      await beta.receive(1);
      expect(order).toEqual(['offline', 'online', STATE]);
    });

    it('clears a topic with an empty retained payload, and forgets it', async () => {
      const alpha = await connectClient({ clientId: 'alpha' });
      await alpha.publish(retained(STATE, 'one'));
      await alpha.publish(retained(STATE, ''));
      await alpha.publish(retained(AVAILABILITY, 'online'));
      await alpha.reconnect(harness);
      const beta = await connectClient({ clientId: 'beta' }, [`${BASE}/node/alpha/#`]);
      await alpha.publish({ ...quiet(END), payload: 'end' });
      const heard = await beta.receive(2);
      expect(heard.map(({ topic, text }) => [topic, text])).toEqual([
        [AVAILABILITY, 'online'],
        [END, 'end'],
      ]);
    });

    it('clears at the broker, once it is back, what was cleared while it was down', async () => {
      const alpha = await connectClient({ clientId: 'alpha' });
      await alpha.publish(retained(STATE, 'one'));
      await harness.stopBroker();
      await alpha.untilOffline(2);
      expect(await alpha.publish(retained(STATE, ''))).toBeInstanceOf(BusOffline);
      await harness.startBroker({ forgetful: false });
      await alpha.untilOnline(2);
      const beta = await connectClient({ clientId: 'beta' }, [`${BASE}/node/alpha/#`]);
      await alpha.publish({ ...quiet(END), payload: 'end' });
      expect((await beta.receive(1)).map(({ text }) => text)).toEqual(['end']);
    });

    it('publishes all retained topics again to a broker that lost its store', async () => {
      const alpha = await connectClient({ clientId: 'alpha', will: WILL });
      await alpha.publish(retained(AVAILABILITY, 'online'));
      await alpha.publish(retained(STATE, 'one'));
      await alpha.publish(retained(STATE, 'two'));
      await harness.stopBroker();
      await alpha.untilOffline(2);
      await harness.startBroker({ forgetful: true });
      await alpha.untilOnline(2);
      const beta = await connectClient({ clientId: 'beta' }, [STATE]);
      const gamma = await connectClient({ clientId: 'gamma' }, [AVAILABILITY]);
      expect(await beta.receive(1)).toEqual([{ topic: STATE, text: 'two', retained: true }]);
      expect(await gamma.receive(1)).toEqual([{ topic: AVAILABILITY, text: 'online', retained: true }]);
    });

    it('receives what it subscribed to again after its connection broke', async () => {
      const beta = await connectClient({ clientId: 'beta' }, [STATE]);
      await beta.reconnect(harness);
      const alpha = await connectClient({ clientId: 'alpha' });
      await alpha.publish(retained(STATE, 'one'));
      expect((await beta.receive(1)).map(({ text }) => text)).toEqual(['one']);
    });

    it('has the broker publish its will when the connection breaks, and publishes its retained topics again', async () => {
      const beta = await connectClient({ clientId: 'beta' }, [AVAILABILITY]);
      const alpha = await connectClient({ clientId: 'alpha', will: WILL });
      await alpha.publish(retained(AVAILABILITY, 'online'));
      await beta.receive(1);
      await alpha.reconnect(harness);
      expect((await beta.receive(3)).map(({ text }) => text)).toEqual(['online', 'offline', 'online']);
    });

    it('publishes its will itself when it is closed, and the broker adds nothing', async () => {
      const beta = await connectClient({ clientId: 'beta' }, [`${BASE}/node/alpha/#`]);
      const alpha = await connectClient({ clientId: 'alpha', will: WILL });
      await alpha.publish(retained(AVAILABILITY, 'online'));
      await alpha.close();
      const gamma = await connectClient({ clientId: 'gamma' });
      await gamma.publish({ ...quiet(END), payload: 'end' });
      expect((await beta.receive(3)).map(({ text }) => text)).toEqual(['online', 'offline', 'end']);
    });

    it('publishes nothing at the close if it has no will', async () => {
      const beta = await connectClient({ clientId: 'beta' }, [`${BASE}/#`]);
      const alpha = await connectClient({ clientId: 'alpha' });
      await alpha.close();
      const gamma = await connectClient({ clientId: 'gamma' });
      await gamma.publish({ ...quiet(END), payload: 'end' });
      expect((await beta.receive(1)).map(({ text }) => text)).toEqual(['end']);
    });

    it('is offline for good once closed, reports it, and calls back every caller of close', async () => {
      const alpha = await connectClient({ clientId: 'alpha' });
      await Promise.all([alpha.close(), alpha.close()]);
      await alpha.close();
      alpha.bus.connect();
      expect(alpha.links.at(-1)).toEqual({ state: 'offline', reason: 'closed' });
      expect(await alpha.publish(retained(STATE, 'late'))).toBeInstanceOf(BusOffline);
    });

    it('closes when it was never connected', async () => {
      const alpha = createClient({ clientId: 'alpha', will: WILL });
      await alpha.close();
      expect(alpha.links.at(-1)).toEqual({ state: 'offline', reason: 'closed' });
    });

    it('fails a publish while offline with BusOffline at once, but never from within the call', async () => {
      const alpha = createClient({ clientId: 'alpha' });
      let isInside = true;
      const failed = new Promise<boolean>((resolve) => {
        alpha.bus.publish({ ...quiet(STATE), payload: 'x' }, () => resolve(isInside));
        isInside = false;
      });
      expect(await failed).toBe(false);
      expect(await alpha.publish({ ...quiet(STATE), payload: 'x' })).toBeInstanceOf(BusOffline);
    });

    it('queues nothing but retained topics while offline', async () => {
      const beta = await connectClient({ clientId: 'beta' }, [`${BASE}/#`]);
      const alpha = createClient({ clientId: 'alpha' });
      await alpha.publish({ ...quiet(`${BASE}/work/alpha/i1/offer`), payload: 'lost' });
      await alpha.publish(retained(STATE, 'kept'));
      alpha.bus.connect();
      await alpha.untilOnline(1);
      await alpha.publish({ ...quiet(END), payload: 'end' });
      expect((await beta.receive(2)).map(({ text }) => text)).toEqual(['kept', 'end']);
    });

    it('does not publish a message that is too large or has an invalid topic, and stays online', async () => {
      const alpha = await connectClient({ clientId: 'alpha' });
      expect(await alpha.publish(retained(STATE, 'x'.repeat(64 * 1024 + 1)))).toBeInstanceOf(Error);
      expect(await alpha.publish(retained(`${BASE}/node/+/state`, 'x'))).toBeInstanceOf(Error);
      expect(await alpha.publish(retained('', 'x'))).toBeInstanceOf(Error);
      await alpha.reconnect(harness);
      const beta = await connectClient({ clientId: 'beta' }, [`${BASE}/#`]);
      expect(await alpha.publish(retained(STATE, 'x'.repeat(64 * 1024)))).toBeUndefined();
      expect((await beta.receive(1)).map(({ text }) => text.length)).toEqual([64 * 1024]);
    });

    it('goes offline when the broker stops, reports the reason once, and comes back', async () => {
      const alpha = await connectClient({ clientId: 'alpha' });
      await harness.stopBroker();
      await alpha.untilOffline(2);
      await harness.startBroker({ forgetful: true });
      await alpha.untilOnline(2);
      const states = alpha.links.map(({ state }) => state);
      expect([states[0], states[1], states[2], states.at(-1)]).toEqual(['offline', 'online', 'offline', 'online']);
      const reasons = alpha.links.map((link) => (link.state === 'offline' ? link.reason : ''));
      expect(reasons.slice(1).some((reason, index) => reason === reasons[index])).toBe(false);
    });

    it('keeps trying while it is refused, and connects when it is admitted', async () => {
      await harness.setAdmitted('alpha', false);
      const alpha = createClient({ clientId: 'alpha' });
      alpha.bus.connect();
      await alpha.untilOffline(2);
      expect(alpha.links.at(-1)).toEqual({ state: 'offline', reason: expect.stringMatching(/refused|password/) });
      await harness.setAdmitted('alpha', true);
      await alpha.untilOnline(1);
    });

    it('gives way to a newer client with the same id, whose will then counts', async () => {
      const beta = await connectClient({ clientId: 'beta' }, [AVAILABILITY]);
      const older = await connectClient({ clientId: 'alpha', will: WILL });
      await older.publish(retained(AVAILABILITY, 'online'));
      const younger = await connectClient({
        clientId: 'alpha',
        will: { topic: AVAILABILITY, payload: 'younger gone' },
      });
      await older.untilOffline(2);
      await older.close();
      expect((await beta.receive(2)).map(({ text }) => text)).toEqual(['online', 'offline']);
      expect(younger.links.some(({ state }) => state === 'online')).toBe(true);
    });

    it('carries thousands of messages at once in order, and without a warning', async () => {
      const warnings: string[] = [];
      const warn = (warning: Error): void => void warnings.push(warning.message);
      process.on('warning', warn);
      const ping = `${BASE}/node/alpha/response/ping`;
      const beta = await connectClient({ clientId: 'beta' }, [ping]);
      const alpha = await connectClient({ clientId: 'alpha' });
      const sent = Array.from({ length: 3000 }, (_, index) => `${index}`.padEnd(1500));
      const dones = sent.flatMap((payload) => [
        alpha.publish({ ...quiet(ping), payload }),
        alpha.publish({ topic: `${BASE}/node/alpha/event`, payload, qos: 0, retain: false }),
      ]);
      expect((await Promise.all(dones)).filter((error) => error !== undefined)).toEqual([]);
      expect((await beta.receive(sent.length)).map(({ text }) => text)).toEqual(sent);
      process.off('warning', warn);
      expect(warnings).toEqual([]);
    });

    it('calls every done once when the connection breaks under many messages', async () => {
      const alpha = await connectClient({ clientId: 'alpha' });
      const calls = Array.from({ length: 500 }, () => 0);
      const dones = calls.map(
        (_, index) =>
          new Promise<void>((resolve) => {
            alpha.bus.publish({ ...quiet(`${BASE}/node/alpha/response/ping`), payload: 'x'.repeat(1000) }, () => {
              calls[index] = (calls[index] ?? 0) + 1;
              resolve();
            });
          }),
      );
      harness.cut('alpha');
      await Promise.all(dones);
      await alpha.untilOnline(2);
      expect(calls.every((count) => count === 1)).toBe(true);
    });
  });
}

interface Heard {
  readonly topic: string;
  readonly text: string;
  readonly retained: boolean;
}

interface Client {
  readonly bus: Bus;
  /** Every state of the link so far. */
  readonly links: readonly BusLink[];
  /** Publishes a message; resolves with the error, or with `undefined`. */
  publish(message: BusPublish): Promise<Error | undefined>;
  /** The first `count` messages. */
  receive(count: number): Promise<readonly Heard[]>;
  /** Waits until the link has been online, or offline, `count` times (offline includes the state before connecting). */
  untilOnline(count: number): Promise<void>;
  untilOffline(count: number): Promise<void>;
  /** Breaks the connection and waits for the next one. */
  reconnect(harness: BusHarness): Promise<void>;
  close(): Promise<void>;
}

function watch(bus: Bus, clientId: string): Client {
  const links: BusLink[] = [];
  const link$ = new ReplaySubject<BusLink>();
  const heard$ = new ReplaySubject<Heard>();
  bus.link$.subscribe((link) => {
    links.push(link);
    link$.next(link);
  });
  bus.messages$.subscribe((message) => heard$.next(read(message)));
  const untilState = async (state: BusLink['state'], count: number): Promise<void> => {
    await collect(link$.pipe(filter((link) => link.state === state)), count);
  };
  return {
    bus,
    links,
    publish: (message) => new Promise((resolve) => bus.publish(message, resolve)),
    receive: (count) => collect(heard$, count),
    untilOnline: (count) => untilState('online', count),
    untilOffline: (count) => untilState('offline', count),
    async reconnect(harness) {
      const onlineCount = links.filter(({ state }) => state === 'online').length;
      harness.cut(clientId);
      await untilState('online', onlineCount + 1);
    },
    close: () => new Promise((resolve) => bus.close(resolve)),
  };
}

function collect<T>(source$: Observable<T>, count: number): Promise<readonly T[]> {
  return firstValueFrom(source$.pipe(take(count), toArray()));
}

function read({ topic, payload, retained }: BusMessage): Heard {
  return { topic, text: new TextDecoder().decode(payload), retained };
}

function quiet(topic: string): Omit<BusPublish, 'payload'> {
  return { topic, qos: 1, retain: false };
}

function retained(topic: string, payload: string): BusPublish {
  return { topic, payload, qos: 1, retain: true };
}
