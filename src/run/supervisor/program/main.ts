/** The program of the supervisor: its argument is its directory. See docs/internals/supervisor.md. */
import { closeInherited } from '../../../os/inherited-descriptors.js';
import { createSleepClock, MACHINE_CLOCKS } from './sleep-clock.js';
import { serve } from './serve.js';

closeInherited();
serve(process.argv[2] ?? '', createSleepClock(MACHINE_CLOCKS));
