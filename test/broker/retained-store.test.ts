/** What the store of retained messages writes to the disk, and when. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import LevelPersistence from 'aedes-persistence-level/asyncPersistence.js';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { openRetainedStore, type RetainedStore } from '../../broker/retained-store.js';

/** The class whose instances write to the disk. */
const disk = LevelPersistence.prototype as RetainedStore['persistence'];
const write = disk.storeRetained;

type Packet = Parameters<RetainedStore['persistence']['storeRetained']>[0];

describe('the store of retained messages', () => {
  let dir: string;
  /** Every write to the disk, as `topic=payload`, in order. */
  let writes: string[];
  let store: RetainedStore;

  beforeEach(async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    dir = await mkdtemp(join(tmpdir(), 'tritmesh-retained-'));
    writes = [];
    disk.storeRetained = async function (this: RetainedStore['persistence'], packet: Packet) {
      writes.push(`${packet.topic}=${Buffer.from(packet.payload).toString()}`);
      await write.call(this, packet);
    };
    store = await open();
  });
  afterEach(async () => {
    await store.close();
    disk.storeRetained = write;
    vi.useRealTimers();
    await rm(dir, { recursive: true, force: true });
  });

  function open(): Promise<RetainedStore> {
    const isUrgent = (topic: string): boolean => topic.startsWith('urgent');
    return openRetainedStore(dir, { isUrgent, onFault: (reason) => writes.push(`fault: ${reason}`) });
  }

  async function put(topic: string, text: string): Promise<void> {
    await store.persistence.storeRetained({ topic, payload: Buffer.from(text) });
  }

  async function list(): Promise<readonly string[]> {
    const texts: string[] = [];
    for await (const { topic, payload } of store.persistence.createRetainedStream('#') as AsyncIterable<Packet>) {
      texts.push(`${topic}=${Buffer.from(payload).toString()}`);
    }
    return texts;
  }

  async function reopen(): Promise<void> {
    await store.close();
    store = await open();
  }

  it('serves a message at once and writes it later, as the last one of its topic', async () => {
    await put('a', '1');
    await put('a', '2');
    expect(await list()).toEqual(['a=2']);
    vi.advanceTimersByTime(499);
    expect(writes).toEqual([]);
    vi.advanceTimersByTime(1);
    await vi.waitFor(() => expect(writes).toEqual(['a=2']));
  });

  it('never writes a topic that came and went', async () => {
    await put('a', '1');
    await put('a', '');
    await put('b', '1');
    vi.advanceTimersByTime(500);
    await vi.waitFor(() => expect(writes).toEqual(['b=1']));
    await reopen();
    expect(writes).toEqual(['b=1']);
    expect(await list()).toEqual(['b=1']);
  });

  it('writes what was cleared at once if it is on the disk', async () => {
    await put('a', '1');
    await reopen();
    writes = [];
    await put('a', '');
    await vi.waitFor(() => expect(writes).toEqual(['a=']));
    await reopen();
    expect(await list()).toEqual([]);
  });

  it('writes urgent topics at once', async () => {
    await put('urgent', 'offline');
    await vi.waitFor(() => expect(writes).toEqual(['urgent=offline']));
  });

  it('goes on writing after it had nothing to write', async () => {
    await put('a', '');
    await put('urgent', '1');
    await put('urgent', '2');
    await vi.waitFor(() => expect(writes.at(-1)).toBe('urgent=2'));
  });

  it('writes what waits when it is closed', async () => {
    await put('a', '1');
    await put('urgent', '1');
    await put('c', '1');
    await put('c', '');
    await reopen();
    expect(writes.toSorted()).toEqual(['a=1', 'urgent=1']);
    expect((await list()).toSorted()).toEqual(['a=1', 'urgent=1']);
  });
});
