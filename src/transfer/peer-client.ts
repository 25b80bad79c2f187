/**
 * Asks one peer over HTTPS. The peer is known by the key of its certificate alone: a connection is handed out only after
 * that key was found right, so nothing is ever said to a stranger. Connections are kept and used again.
 */
import { Agent, request } from 'node:https';
import type { IncomingMessage } from 'node:http';
import { connect, type TLSSocket } from 'node:tls';
import type { TlsPair } from '../identity/certificate.js';
import { formatPublicKey } from '../identity/create-identity.js';
import { REASON_CHARS_MAX } from '../protocol/limits.js';
import { describeError, Refused } from './ended.js';

/** Connections to one peer, and peers whose connections are kept. */
const SOCKETS_PER_PEER = 8;
const PEERS_KEPT = 64;

/** A peer that could not be asked just now. `isRefusal` when it, or a stranger in its place, said no. */
export class Unreachable extends Error {
  override readonly name = 'Unreachable';
  readonly isRefusal: boolean;

  constructor(message: string, isRefusal: boolean, cause?: unknown) {
    super(message, { cause });
    this.isRefusal = isRefusal;
  }
}

/** What to ask for. */
export interface Question {
  readonly peerKey: string;
  /** `https://host:port` */
  readonly url: string;
  readonly path: string;
  /** First byte wanted. */
  readonly start: number;
  readonly signal: AbortSignal;
}

/** Asks peers. */
export interface PeerClient {
  /** Gives the body of a good answer. Throws {@link Unreachable} or {@link Refused}. */
  get(question: Question): Promise<IncomingMessage>;
  close(): void;
}

/** How a client presents itself and how long it waits, in milliseconds. */
export interface PeerClientOptions {
  readonly tls: TlsPair;
  readonly connectMs: number;
  /** Silence after which a connection counts as cut. */
  readonly idleMs: number;
}

/** Makes a client; it opens nothing until it is asked. */
export function createPeerClient(options: PeerClientOptions): PeerClient {
  const agents = new Map<string, Agent>();

  function agentOf(peerKey: string): Agent {
    const kept = agents.get(peerKey);
    if (kept !== undefined) return kept;
    if (agents.size >= PEERS_KEPT) forgetIdle(agents);
    const agent = createAgent(peerKey, options);
    agents.set(peerKey, agent);
    return agent;
  }

  return {
    get: async (question) => checkAnswer(await ask(question, agentOf(question.peerKey), options.idleMs), question),
    close: () => {
      for (const agent of agents.values()) agent.destroy();
      agents.clear();
    },
  };
}

function forgetIdle(agents: Map<string, Agent>): void {
  for (const [peerKey, agent] of agents) {
    if (Object.keys(agent.sockets).length > 0 || Object.keys(agent.requests).length > 0) continue;
    agent.destroy();
    agents.delete(peerKey);
    return;
  }
}

/** An agent whose every connection ends at the holder of `peerKey`. */
function createAgent(peerKey: string, options: PeerClientOptions): Agent {
  const agent = new Agent({ keepAlive: true, maxSockets: SOCKETS_PER_PEER, scheduling: 'lifo' });
  return Object.assign(agent, {
    createConnection: (to: { host?: string; port?: number | string }, done: Connected): void => {
      connectPinned(to.host ?? '', Number(to.port), peerKey, options, done);
    },
  });
}

type Connected = (error: Error | null, socket?: TLSSocket) => void;

function connectPinned(host: string, port: number, peerKey: string, options: PeerClientOptions, done: Connected): void {
  const { key, cert } = options.tls;
  // Self-signed on both sides: the key is compared below, and TLS 1.3 proves that the peer holds it.
  const socket = connect({ host, port, key, cert, minVersion: 'TLSv1.3', rejectUnauthorized: false });
  const timer = setTimeout(() => socket.destroy(new Error('no connection in time')), options.connectMs);
  const fail = (error: Error): void => {
    clearTimeout(timer);
    done(error);
  };
  socket.setNoDelay(true);
  socket.once('error', fail);
  socket.once('secureConnect', () => {
    clearTimeout(timer);
    socket.removeListener('error', fail);
    if (holdsKey(socket, peerKey)) return done(null, socket);
    socket.destroy();
    done(new Unreachable('it holds another key than the one expected', true));
  });
}

function holdsKey(socket: TLSSocket, peerKey: string): boolean {
  try {
    const certificate = socket.getPeerX509Certificate();
    return certificate !== undefined && formatPublicKey(certificate.publicKey) === peerKey;
  } catch {
    return false;
  }
}

function ask(question: Question, agent: Agent, idleMs: number): Promise<IncomingMessage> {
  const { url, path, start, signal } = question;
  return new Promise((resolve, reject) => {
    const headers = start > 0 ? { range: `bytes=${start}-` } : {};
    const asked = request(new URL(path, url), { agent, headers, signal, timeout: idleMs }, resolve);
    asked.once('timeout', () => asked.destroy(new Error(`silent for ${idleMs} ms`)));
    asked.on('error', (error) => {
      const isRefusal = error instanceof Unreachable && error.isRefusal;
      reject(new Unreachable(`${url}: ${describeError(error)}`, isRefusal, error));
    });
    asked.end();
  });
}

async function checkAnswer(answer: IncomingMessage, question: Question): Promise<IncomingMessage> {
  const { url, start } = question;
  const isWanted = start === 0 ? answer.statusCode === 200 : answer.statusCode === 206 && startsAt(answer, start);
  if (isWanted) return answer;
  const reason = `${url}: ${await readReason(answer)}`;
  if (answer.statusCode === 404) throw new Unreachable(reason, true);
  if (answer.statusCode === 409 || answer.statusCode === 416) throw new Refused(reason);
  throw new Unreachable(`${reason} (status ${answer.statusCode ?? 0})`, false);
}

function startsAt(answer: IncomingMessage, start: number): boolean {
  return answer.headers['content-range']?.startsWith(`bytes ${start}-`) === true;
}

/** The first words of a refusal; the rest of a long body is not read. */
async function readReason(answer: IncomingMessage): Promise<string> {
  let text = '';
  try {
    for await (const chunk of answer) {
      text += String(chunk);
      if (text.length > REASON_CHARS_MAX) break;
    }
  } catch {
    // What came before the cut says enough.
  }
  return text.slice(0, REASON_CHARS_MAX).trim();
}
