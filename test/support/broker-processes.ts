/**
 * The two brokers as processes that a test can kill: `tritmesh broker`, and a real Mosquitto. Both restart on the same
 * port with what they had saved.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { hasMosquitto, startMosquitto } from './mosquitto.js';
import type { TestBroker } from './brokers.js';
import { cleanEnvironment, MAIN } from './programs.js';

/** A broker that can be killed. */
export interface MortalBroker extends TestBroker {
  /** Ends it with SIGKILL and waits until it is gone. */
  kill(): Promise<void>;
}

/** The brokers to test with, by the same names as in BROKERS. */
export const MORTAL_BROKERS: readonly {
  readonly name: string;
  readonly isThere: boolean;
  open(): Promise<MortalBroker>;
}[] = [
  { name: 'the embedded broker', isThere: true, open: () => openEmbedded() },
  { name: 'Mosquitto', isThere: hasMosquitto(), open: openMosquitto },
];

/** The embedded broker of the program `main`. */
export async function openEmbedded(main: string = MAIN): Promise<MortalBroker> {
  const stateDir = await mkdtemp(join(tmpdir(), 'tritmesh-broker-'));
  let running = await launch(main, stateDir, '0');
  const { url } = running;
  const end = async (signal: 'SIGTERM' | 'SIGKILL'): Promise<void> => {
    const { child } = running;
    if (child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    child.kill(signal);
    await gone;
  };
  return {
    url,
    stop: () => end('SIGTERM'),
    kill: () => end('SIGKILL'),
    start: async () => {
      running = await launch(main, stateDir, new URL(url).port);
    },
    close: async () => {
      await end('SIGTERM');
      await rm(stateDir, { recursive: true, force: true });
    },
  };
}

/** Resolves when it reports where it listens; rejects with its output if it ends before. */
async function launch(
  main: string,
  stateDir: string,
  port: string,
): Promise<{ readonly child: ChildProcess; readonly url: string }> {
  const child = spawn(process.execPath, [main, 'broker', '--port', port, '--state-dir', stateDir], {
    env: cleanEnvironment(),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  const url = await new Promise<string>((resolve, reject) => {
    const take = (chunk: Buffer): void => {
      said += chunk.toString();
      const match = /^broker at (\S+)$/m.exec(said);
      if (match?.[1] !== undefined) resolve(match[1]);
    };
    child.stdout.on('data', take);
    child.stderr.on('data', take);
    child.once('exit', () => reject(new Error(`the broker ended: ${said}`)));
  });
  return { child, url };
}

async function openMosquitto(): Promise<MortalBroker> {
  const { url, stop, kill, start, close } = await startMosquitto();
  return { url, stop, kill, start: () => start(), close };
}
