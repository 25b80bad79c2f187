/** The direct path over real connections: who is let in, what rides in an answer, and what is kept for whom. */
import { generateKeyPairSync } from 'node:crypto';
import { request } from 'node:https';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { createTlsPair, type TlsPair } from '../../../src/identity/certificate.js';
import { createIdentity } from '../../../src/identity/create-identity.js';
import { BATCH_MESSAGES_MAX, decodeBatch, encodeBatch } from '../../../src/transfer/direct/direct-batch.js';
import { createMail } from '../../../src/transfer/direct/direct-mail.js';
import type { Direct, DirectMessage, DirectVerdict } from '../../../src/transfer/direct.js';
import { createHttpsDirect } from '../../../src/transfer/direct/https-direct.js';
import { createPeerClient } from '../../../src/transfer/peer/peer-client.js';
import { createPeerListener } from '../../../src/transfer/peer/peer-listener.js';

interface Side {
  readonly direct: Direct;
  readonly key: string;
  readonly tls: TlsPair;
  /** Where it listens; none while it lets nobody in. */
  readonly urls: readonly string[];
  readonly heard: { readonly key: string; readonly message: DirectMessage }[];
  open(verdict?: DirectVerdict, answer?: () => void): void;
}

const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

async function createSide({ listens = true } = {}): Promise<Side> {
  const { privateKey } = generateKeyPairSync('ed25519');
  const tls = createTlsPair(privateKey);
  const listener = createPeerListener({ tls, listen: '127.0.0.1', port: 0, advertise: [] });
  const direct = createHttpsDirect({ listener, client: createPeerClient({ tls, connectMs: 1000 }), holdMs: 300 });
  if (listens) await listener.start();
  closing.push(async () => {
    direct.close();
    await new Promise<void>((resolve) => listener.close(resolve));
  });
  const heard: Side['heard'] = [];
  return {
    direct,
    key: createIdentity(privateKey).publicKey,
    tls,
    urls: listener.urls(),
    heard,
    open: (verdict = 'taken', answer = () => undefined) =>
      direct.open((key, message) => {
        heard.push({ key, message });
        answer();
        return verdict;
      }),
  };
}

const message = (text: string): DirectMessage => ({ topic: 't/work/alpha/j1/lease', payload: text });

async function post(side: Side, from: TlsPair, body: string, path = '/m', method = 'POST'): Promise<number> {
  return new Promise((resolve, reject) => {
    const options = { ...from, method, rejectUnauthorized: false, minVersion: 'TLSv1.3' } as const;
    const asked = request(new URL(path, side.urls[0]), options, (answer) => {
      answer.resume();
      resolve(answer.statusCode ?? 0);
    });
    asked.on('error', reject);
    asked.end(body);
  });
}

describe('the direct path', () => {
  it('brings messages with the key of who brings them', async () => {
    const [alpha, beta] = [await createSide(), await createSide()];
    beta.open();
    alpha.open();
    alpha.direct.send(beta, message('one'));
    alpha.direct.send(beta, message('two'));
    await vi.waitFor(() => expect(beta.heard).toHaveLength(2));
    expect(beta.heard).toContainEqual({ key: alpha.key, message: message('one') });
    expect(beta.heard).toContainEqual({ key: alpha.key, message: message('two') });
  });

  it('answers in the same connection, so that one side need not be reachable', async () => {
    const [alpha, beta] = [await createSide({ listens: false }), await createSide()];
    alpha.open();
    beta.open('taken', () => beta.direct.send(alpha, message('answer')));
    alpha.direct.send(beta, message('asked'));
    await vi.waitFor(() => expect(alpha.heard).toEqual([{ key: beta.key, message: message('answer') }]));
  });

  it('keeps what it cannot deliver until the peer asks', async () => {
    const [alpha, beta] = [await createSide({ listens: false }), await createSide()];
    alpha.open();
    beta.open();
    beta.direct.send(alpha, message('kept'));
    alpha.direct.send(beta, message('asked'));
    await vi.waitFor(() => expect(alpha.heard).toEqual([{ key: beta.key, message: message('kept') }]));
  });

  it('goes to where a peer said it listens, when it is not where it was', async () => {
    const [alpha, beta] = [await createSide(), await createSide()];
    alpha.open();
    beta.open();
    alpha.direct.send(beta, message('here I am'));
    await vi.waitFor(() => expect(beta.heard).toHaveLength(1));
    // The request that told it is over.
    await vi.waitFor(
      () => {
        beta.direct.send({ key: alpha.key, urls: ['https://127.0.0.1:1'] }, message('found'));
        expect(alpha.heard.length).toBeGreaterThan(0);
      },
      { interval: 400, timeout: 5000 },
    );
  });

  it('takes nothing before it is opened, and says to come again', async () => {
    const [alpha, beta] = [await createSide(), await createSide()];
    expect(await post(beta, alpha.tls, encodeBatch({ urls: [], messages: [message('early')] }))).toBe(503);
    alpha.direct.send(beta, message('early'));
    beta.open();
    alpha.direct.send(beta, message('late'));
    await vi.waitFor(() =>
      expect(beta.heard.map((one) => one.message.payload)).toEqual(expect.arrayContaining(['early', 'late'])),
    );
  });

  it('says 404 to whoever may not say that, 400 to what is none, and 204 to who has nothing to say', async () => {
    const [alpha, beta] = [await createSide(), await createSide()];
    const said = encodeBatch({ urls: [], messages: [message('x')] });
    beta.open('unknown');
    expect(await post(beta, alpha.tls, said)).toBe(404);
    beta.open('malformed');
    expect(await post(beta, alpha.tls, said)).toBe(400);
    expect(await post(beta, alpha.tls, 'not json')).toBe(400);
    expect(await post(beta, alpha.tls, '{"urls":[],"messages":[{"topic":1}]}')).toBe(400);
    expect(await post(beta, alpha.tls, said, '/m', 'PUT')).toBe(404);
    expect(await post(beta, alpha.tls, said, '/mm')).toBe(404);
    expect(await post(beta, alpha.tls, '')).toBe(204);
  });

  it('speaks with nobody but the holder of the key', async () => {
    const [alpha, beta, stranger] = [await createSide(), await createSide(), await createSide()];
    stranger.open();
    beta.open();
    alpha.direct.send({ key: beta.key, urls: stranger.urls }, message('secret'));
    alpha.direct.send(beta, message('next'));
    await vi.waitFor(() => expect(beta.heard.map((one) => one.message.payload)).toContain('next'));
    expect(stranger.heard).toEqual([]);
  });
});

describe('a batch', () => {
  it('is read as it was written, and refused beyond its bounds', () => {
    const batch = { urls: ['https://127.0.0.1:8000'], messages: [message('ä"\n')] };
    expect(decodeBatch(Buffer.from(encodeBatch(batch)))).toEqual(batch);
    const many = { urls: [], messages: Array.from({ length: BATCH_MESSAGES_MAX + 1 }, () => message('x')) };
    expect(decodeBatch(Buffer.from(encodeBatch(many)))).toBeUndefined();
    for (const text of ['null', '[]', '{"urls":["http://a:1"],"messages":[]}', '{"urls":[],"messages":{}}'])
      expect(decodeBatch(Buffer.from(text))).toBeUndefined();
  });
});

describe('mail', () => {
  it('is kept in its order, for a minute, and not without end', () => {
    let now = 0;
    const mail = createMail(() => now);
    for (let index = 0; index < 300; index += 1) mail.put('beta', message(String(index)));
    const first = mail.take('beta', 1_000_000);
    expect(first.map(({ payload }) => payload)[0]).toBe('44');
    expect(first).toHaveLength(BATCH_MESSAGES_MAX);
    mail.putBack('beta', first);
    expect(mail.take('beta', 1)).toEqual([message('44')]);
    now = 61_000;
    expect(mail.has('beta')).toBe(false);
  });
});
