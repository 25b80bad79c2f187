/** The owner of an item dies at each step that it takes, and comes back. */
import { crashAtSteps } from './crash-steps.js';
import { OWNER_STEPS } from './steps.js';

crashAtSteps('owner', OWNER_STEPS);
