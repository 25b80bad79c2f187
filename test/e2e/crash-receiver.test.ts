/** The receiver of an item is killed at each of its steps, and restarts. */
import { crashAtSteps } from './crash-steps.js';
import { RECEIVER_STEPS } from '../support/steps.js';

crashAtSteps('receiver', RECEIVER_STEPS);
