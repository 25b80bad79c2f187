/**
 * The steps of an item's way at which a fault can be made to happen: see src/compose-stop-at.ts. Each list is in the order in
 * which one side takes them.
 */
import { BROKERS } from './brokers.js';

/** The steps that the owner of an item with inputs and outputs takes. */
export const OWNER_STEPS: readonly string[] = [
  'owner:persist-staging',
  'owner:persisted-staging',
  'owner:stage',
  'owner:staged',
  'owner:persist-queued',
  'owner:persisted-queued',
  'owner:offer',
  'owner:said-offer',
  'owner:persist-acked',
  'owner:persisted-acked',
  'owner:share',
  'owner:ack',
  'owner:said-ack',
  'owner:lease-hold',
  'owner:said-lease-hold',
  'owner:fetch',
  'owner:fetched',
  'owner:place',
  'owner:placed',
  'owner:persist-done',
  'owner:persisted-done',
  'owner:lease-settled',
  'owner:said-lease-settled',
  'owner:remove',
];

/** The steps that its receiver takes. */
export const RECEIVER_STEPS: readonly string[] = [
  'receiver:claim',
  'receiver:said-claim',
  'receiver:persist-fetching',
  'receiver:persisted-fetching',
  'receiver:progress',
  'receiver:said-progress',
  'receiver:fetch',
  'receiver:fetched',
  'receiver:persist-starting',
  'receiver:persisted-starting',
  'receiver:start',
  'receiver:started',
  'receiver:persist-running',
  'receiver:persisted-running',
  'receiver:collect',
  'receiver:collected',
  'receiver:share',
  'receiver:result',
  'receiver:said-result',
  'receiver:remove',
  'receiver:persist-forgotten',
  'receiver:persisted-forgotten',
];

/**
 * Chooses `count` steps for each broker, spread over the whole way and others for each; all of them for all brokers with
 * TRITMESH_TEST_LONG=1.
 */
export function chooseSteps(steps: readonly string[], broker: string, count: number): readonly string[] {
  if (process.env['TRITMESH_TEST_LONG'] === '1') return steps;
  const turn = BROKERS.findIndex((one) => one.name === broker);
  const stride = steps.length / (count * BROKERS.length);
  return steps.filter((_step, index) => {
    const place = Math.floor(index / stride);
    return place % BROKERS.length === turn && index === Math.ceil(place * stride);
  });
}
