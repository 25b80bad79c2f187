/** The receiver of an item dies at each step that it takes, and comes back. */
import { crashAtSteps } from './crash-steps.js';

crashAtSteps('receiver', [
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
]);
