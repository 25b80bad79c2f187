/** The owner of an item is killed at each of its steps, and restarts. */
import { crashAtSteps } from './crash-steps.js';
import { OWNER_STEPS } from '../support/steps.js';

crashAtSteps('owner', OWNER_STEPS);
