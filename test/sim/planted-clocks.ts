/**
 * Known bugs of clocks, as in `planted-bugs.ts`.
 */
import type { PlantedBug } from './planted-bugs.js';

/** The bugs. */
export const PLANTED_CLOCKS: readonly PlantedBug[] = [
  {
    name: 'the boot clock alone is believed',
    changes: [
      {
        file: 'clock/steady-clock.js',
        find: 'const isAlike = Math.abs(boot - wall) <= ALIKE_MS + ALIKE_PART * boot;',
        replace: 'const isAlike = true;',
      },
    ],
    within: 150,
  },
  {
    name: 'the wall clock alone is believed',
    changes: [
      {
        file: 'clock/steady-clock.js',
        find: 'if (boot >= SLEEP_MIN_MS && isAlike)\n            sleptMs += boot;',
        replace: 'if (wall >= SLEEP_MIN_MS)\n            sleptMs += wall;',
      },
    ],
    within: 500,
  },
  {
    name: 'a boot clock that cannot be read is taken for zero, and what it says then is believed',
    changes: [
      {
        file: 'clock/steady-clock.js',
        find: 'return `cannot be read (${error instanceof Error ? error.message : String(error)})`;',
        replace: 'return 0;',
      },
      {
        file: 'clock/steady-clock.js',
        find: 'const isAlike = Math.abs(boot - wall) <= ALIKE_MS + ALIKE_PART * boot;',
        replace: 'const isAlike = true;',
      },
    ],
    within: 150,
  },
  {
    name: 'no number reaches the time',
    changes: [
      {
        file: 'clock/steady-clock.js',
        find: "return Number.isFinite(boot) && boot >= 0 ? boot : 'gives no number';",
        replace: 'return boot;',
      },
      {
        file: 'clock/steady-clock.js',
        find: 'return isWhole && Number.isFinite(lead.boot + lead.wall) ? lead : undefined;',
        replace: 'return lead;',
      },
      {
        file: 'clock/steady-clock.js',
        find: 'if (boot >= SLEEP_MIN_MS && isAlike)',
        replace: 'if (!(boot < SLEEP_MIN_MS) && !(Math.abs(boot - wall) > ALIKE_MS))',
      },
    ],
    within: 150,
  },
  {
    name: 'sleep is not counted',
    changes: [{ file: 'clock/steady-clock.js', find: 'sleptMs += boot;', replace: 'sleptMs += 0;' }],
    within: 500,
  },
  // The last three are of the simulated guardian: the shell's own is held by test/run/guardian-doubt.test.ts.
  {
    name: 'a guardian ends what it is in doubt about',
    changes: [{ file: 'sim/sim-guardian.js', find: 'parts.hold();', replace: 'return parts.end();' }],
    within: 150,
  },
  {
    name: 'a guardian lets go on what it is in doubt about',
    changes: [{ file: 'sim/sim-guardian.js', find: 'parts.hold();', replace: 'void 0;' }],
    within: 300,
  },
  {
    name: 'a guardian does not see that its machine slept',
    changes: [{ file: 'sim/sim-guardian.js', find: '        countLate();\n', replace: '' }],
    within: 300,
  },
];
