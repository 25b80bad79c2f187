/**
 * Before a node publishes anything: is there a twin of it, with the same key? This checks what the broker retains, and
 * pings the twin where that is not conclusive; on a machine that the state directory does not match, the node starts
 * only once it could ask. The core decides which of the two continues.
 */
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Bus } from '../bus/bus.js';
import { createMqttBus } from '../bus/mqtt/mqtt-bus.js';
import type { Config } from '../config/config.js';
import { describeLoser, describeTwin, judgeTwin } from '../core/identity/twin.js';
import type { Identity } from '../identity/identity.js';
import { probeTwin, type HeardTwin } from '../node/probe-twin.js';
import { probeBirths, type KnownBirths } from '../node/probe-births.js';
import type { TwinAsk } from '../protocol/requests.js';

/** Another machine has this node's key, and continues as this node. */
export class TwinFound extends Error {
  override readonly name = 'TwinFound';
}

/** The start was cancelled while it waited. */
export class StartCalledOff extends Error {
  override readonly name = 'StartCalledOff';
}

/** What {@link checkTwin} depends on. */
export interface CheckTwinDeps {
  readonly config: Config;
  readonly identity: Identity;
  readonly mine: TwinAsk;
  /** Host that the state directory was last used on. */
  readonly recordedHost: string;
  readonly suspected?: object | undefined;
  readonly signal?: AbortSignal | undefined;
  tell(text: string): void;
}

/** How long a twin may take to answer, ms: without any sign of one, and with one. */
const ANSWER_MS = 2000;
const ANSWER_SUSPECT_MS = 6000;
/** How long to wait before asking the broker again, ms. */
const RETRY_MS = 3000;

/**
 * Checks for a twin and returns what the broker had. Rejects with TwinFound if the twin continues, or if it is unclear
 * which.
 */
export async function checkTwin(deps: CheckTwinDeps): Promise<KnownBirths> {
  const { config, identity, mine } = deps;
  const { base, id } = config;
  const isDoubtful = mine.fit !== 'fits' || deps.suspected !== undefined;
  let lastText = '';
  const tellOnce = (text: string): void => {
    if (text !== lastText) deps.tell(text);
    lastText = text;
  };
  for (;;) {
    const seen = await probeBirths(createProbeBus(config), { base, id, identity });
    if (seen.unreached !== undefined && mine.fit === 'fits') return seen;
    if (seen.unreached === undefined) {
      const isOnline = seen.births.some((one) => one.id === id && one.key === identity.publicKey && one.online);
      if (!isDoubtful && !isOnline) return seen;
      const answerMs = isDoubtful ? ANSWER_SUSPECT_MS : ANSWER_MS;
      const answer = await probeTwin(createProbeBus(config), { base, id, identity, mine, answerMs, wall: Date.now });
      if (answer.twin !== undefined) {
        decideTwin(deps, answer.twin);
        return seen;
      }
      if (answer.unreached === undefined && !(isOnline && isDoubtful)) return seen;
    }
    tellOnce(describeWait(deps, seen));
    await waitForRetry(deps.signal);
  }
}

/** Decides which one continues, from the same facts as the twin. Throws TwinFound unless it is this one. */
function decideTwin({ config, mine, tell }: CheckTwinDeps, { facts, yields }: HeardTwin): void {
  const verdict = yields ? 'mine' : judgeTwin(mine, facts);
  if (verdict !== 'mine') throw new TwinFound(describeTwin(config.id, facts, verdict));
  tell(describeLoser(facts));
}

function describeWait({ config, recordedHost }: CheckTwinDeps, { unreached }: KnownBirths): string {
  const before = recordedHost === '' ? 'another machine' : recordedHost;
  const why =
    unreached === undefined
      ? `the broker still has node ${config.id} online`
      : `the broker cannot be asked whether it still runs there: ${unreached}`;
  return (
    `this state directory was last used on ${before} and may be a copy; ${why}. Nothing is started until that is known; ` +
    `"tritmesh reset-identity" turns this into a separate node`
  );
}

/** Waits before the next attempt; rejects with StartCalledOff when the start is cancelled. */
export async function waitForRetry(signal: AbortSignal | undefined): Promise<void> {
  await sleep(RETRY_MS, undefined, { signal }).catch(() => undefined);
  if (signal?.aborted === true) throw new StartCalledOff('the node was stopped before it had started');
}

/** Creates a bus that only observes, with a separate client id: it must not disconnect the node itself. */
export function createProbeBus({ broker, base, id, username, password, ca_file: caFile }: Config): Bus {
  const clientId = `${base.replaceAll('/', '-')}-${id}-look-${randomBytes(4).toString('hex')}`;
  return createMqttBus({ url: broker, clientId, username, password, caFile });
}
