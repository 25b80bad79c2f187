/** The owner of an item dies at each step that it takes, and comes back. */
import { crashAtSteps } from './crash-steps.js';

crashAtSteps('owner', [
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
]);
