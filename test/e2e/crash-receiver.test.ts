/** The receiver of an item dies at each step that it takes, and comes back. */
import { crashAtSteps } from './crash-steps.js';
import { RECEIVER_STEPS } from './steps.js';

crashAtSteps('receiver', RECEIVER_STEPS);
