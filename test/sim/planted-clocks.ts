/**
 * Known bugs in the use of clocks, as in `planted-bugs.ts`.
 */
import type { PlantedBug } from './planted-bugs.js';

/** The bugs, for planted.test.ts. */
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
        find: `if (boot >= SLEEP_MIN_MS && isAlike)
            sleptMs += boot;`,
        replace: `if (wall >= SLEEP_MIN_MS)
            sleptMs += wall;`,
      },
    ],
    within: 500,
  },
  {
    name: 'a boot clock that cannot be read counts as zero, and that reading is believed',
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
    name: "a clock reading that is not a number reaches the node's time",
    changes: [
      {
        file: 'clock/steady-clock.js',
        find: "return Number.isFinite(boot) && boot >= 0 ? boot : 'returns no valid number';",
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
  // The last three concern the simulated watchdog. test/run/watchdog/watchdog-doubt.test.ts tests the real one.
  {
    name: 'a watchdog in doubt ends its run',
    changes: [{ file: 'sim/parts/sim-watchdog.js', find: 'deps.hold();', replace: 'return deps.end();' }],
    within: 150,
  },
  {
    name: 'a watchdog in doubt lets its run continue',
    changes: [{ file: 'sim/parts/sim-watchdog.js', find: 'deps.hold();', replace: 'void 0;' }],
    within: 300,
  },
  {
    name: 'a watchdog does not notice that its machine slept',
    changes: [
      {
        file: 'sim/parts/sim-watchdog.js',
        find: `        countLate();
`,
        replace: '',
      },
    ],
    within: 300,
  },
];
