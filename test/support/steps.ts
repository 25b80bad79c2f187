/**
 * The crash points on an item's way, see src/compose/crash-point.ts. Each list is in the order in which one side
 * reaches them.
 */
import { BROKERS } from './brokers.js';

/** The steps of the owner of an item with inputs and outputs. */
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

/** The steps of its receiver. */
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
 * Chooses `count` steps for a broker, spread over the whole way and different for each broker. With
 * TRITMESH_TEST_LONG=1 it returns all steps.
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
