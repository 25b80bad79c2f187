/**
 * Before a node says anything: is there a twin of it, with its key? It looks at what the broker keeps, and asks where that does not
 * tell; on a machine that its state directory does not fit, it goes on only once it could ask. The core judges who goes on.
 */
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Bus } from './bus/bus.js';
import { createMqttBus } from './bus/mqtt-bus.js';
import type { Config } from './config/config.js';
import { describeLoser, describeTwin, judgeTwin } from './core/twin.js';
import type { Identity } from './identity/identity.js';
import { askTwin, type HeardTwin } from './node/ask-twin.js';
import { lookAround, type Sight } from './node/look-around.js';
import type { TwinAsk } from './protocol/requests.js';

/** Another machine has this node's key, and goes on. */
export class TwinFound extends Error {
  override readonly name = 'TwinFound';
}

/** The start was called off while it waited. */
export class StartCalledOff extends Error {
  override readonly name = 'StartCalledOff';
}

/** What looking goes by. */
export interface TwinParts {
  readonly config: Config;
  readonly identity: Identity;
  readonly mine: TwinAsk;
  /** Host that the state directory was last used on. */
  readonly recordedHost: string;
  readonly suspected?: object | undefined;
  readonly signal?: AbortSignal | undefined;
  tell(text: string): void;
}

/** How long a twin may take to answer, ms: where nothing speaks for one, and where something does. */
const ANSWER_MS = 2000;
const ANSWER_SUSPECT_MS = 6000;
/** How long to wait until the broker is asked again, ms. */
const AGAIN_MS = 3000;

/** Looks and asks; gives what was seen. Rejects with TwinFound where the other one goes on, or nothing tells which. */
export async function meetTwin(parts: TwinParts): Promise<Sight> {
  const { config, identity, mine } = parts;
  const { base, id } = config;
  const isDoubtful = mine.fit !== 'fits' || parts.suspected !== undefined;
  let said = '';
  const tellOnce = (text: string): void => {
    if (text !== said) parts.tell(text);
    said = text;
  };
  for (;;) {
    const sight = await lookAround(createProbeBus(config), { base, id, identity });
    if (sight.unreached !== undefined && mine.fit === 'fits') return sight;
    if (sight.unreached === undefined) {
      const isOnline = sight.births.some((one) => one.id === id && one.key === identity.publicKey && one.online);
      if (!isDoubtful && !isOnline) return sight;
      const answerMs = isDoubtful ? ANSWER_SUSPECT_MS : ANSWER_MS;
      const answer = await askTwin(createProbeBus(config), { base, id, identity, mine, answerMs, wall: Date.now });
      if (answer.twin !== undefined) {
        giveWay(parts, answer.twin);
        return sight;
      }
      if (answer.unreached === undefined && !(isOnline && isDoubtful)) return sight;
    }
    tellOnce(describeWait(parts, sight));
    await waitAgain(parts.signal);
  }
}

/** Whether it goes on, by the same facts that the other one judges by. */
function giveWay({ config, mine, tell }: TwinParts, { facts, yields }: HeardTwin): void {
  const verdict = yields ? 'mine' : judgeTwin(mine, facts);
  if (verdict !== 'mine') throw new TwinFound(describeTwin(config.id, facts, verdict));
  tell(describeLoser(facts));
}

function describeWait({ config, recordedHost }: TwinParts, { unreached }: Sight): string {
  const before = recordedHost === '' ? 'another machine' : recordedHost;
  const why =
    unreached === undefined
      ? `the broker still has node ${config.id} online`
      : `the broker cannot be asked whether it still runs there: ${unreached}`;
  return (
    `this state directory was last used on ${before} and may be a copy; ${why}. Nothing is started until that is known; ` +
    `"tritmesh reset-identity" makes this a node of its own`
  );
}

/** Waits a while; rejects with StartCalledOff when the person does not want it any more. */
export async function waitAgain(signal: AbortSignal | undefined): Promise<void> {
  await sleep(AGAIN_MS, undefined, { signal }).catch(() => undefined);
  if (signal?.aborted === true) throw new StartCalledOff('it was stopped before it had started');
}

/** A bus that only looks: under a client id of its own, so that it throws nobody out. */
export function createProbeBus({ broker, base, id, username, password, ca_file: caFile }: Config): Bus {
  const clientId = `${base.replaceAll('/', '-')}-${id}-look-${randomBytes(4).toString('hex')}`;
  return createMqttBus({ url: broker, clientId, username, password, caFile });
}
