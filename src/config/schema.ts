/**
 * The schema of all keys, including the checks between them. Messages continue a sentence that begins with the key and
 * its value: "must be …". It reads no file and knows no default.
 */
import { z } from 'zod';
import { parseScumRule } from '../core/processes/scum-rules.js';
import { THROTTLE_METHODS } from '../core/processes/saved-throttle.js';
import { ATTEMPTS_MAX, CPUS_MAX, LEASE_MS_MAX } from '../protocol/limits.js';
import { findAdvertiseFault, findListenFault } from '../protocol/peer-address.js';
import { UNSIGNED_VERBS } from '../protocol/requests.js';
import { findBaseFault, NODE_ID_PATTERN } from '../protocol/topics.js';
import { parseMetric } from '../sense/metric.js';
import { findAmountFault, findReserveFault } from './amount.js';
import { findBrokerFault } from './broker-url.js';
import type { Config } from './config.js';
import { checkKeysTogether } from './cross-checks.js';

const DAY_MS = 24 * 60 * 60 * 1000;
const RATIO_MAX = 1000;
const SCUM_POLICIES = ['managed', 'opt-in', 'advise', 'off'] as const;

const text = z.string('must be text').min(1, 'must not be empty');
const words = z.array(z.string('must be a list of words').min(1).max(64, 'must be words of at most 64 characters'));
const ratio = numberBetween(0, RATIO_MAX);

/** Validates a whole configuration; unknown keys are errors. */
export const configSchema: z.ZodType<Config> = z
  .strictObject({
    broker: checked(findBrokerFault),
    username: text.optional(),
    password: text.optional(),
    password_file: text.optional(),
    ca_file: text.optional(),
    criu: text.optional(),
    id: text.regex(NODE_ID_PATTERN, 'must be 1 to 32 lower-case letters, digits and dashes'),
    base: checked(findBaseFault),
    state_dir: text.refine((path) => path.startsWith('/') || /^[A-Za-z]:[\\/]/.test(path), 'must be an absolute path'),
    labels: words,
    slots: integerBetween(1, CPUS_MAX),
    cpus: numberBetween(0.01, CPUS_MAX),
    sense: z.strictObject({
      metric: checked(findMetricFault),
      load_every_ms: integerBetween(100, DAY_MS),
      processes_every_ms: integerBetween(100, DAY_MS),
    }),
    trit: z.strictObject({
      plus_above: ratio,
      plus_leave_below: ratio,
      minus_below: ratio,
      minus_leave_above: ratio,
      plus_hold_ms: integerBetween(0, DAY_MS),
      minus_hold_ms: integerBetween(0, DAY_MS),
      ergodic_hold_ms: integerBetween(0, DAY_MS),
      hysteresis: flag(),
    }),
    scum: z.strictObject({
      formula: oneOf(['clamped', 'seed']),
      throttle: oneOf(SCUM_POLICIES),
      migrate: oneOf(SCUM_POLICIES),
      rules: z.array(checked(findRuleFault)),
      share_percent: numberBetween(1, 100 * CPUS_MAX),
      throttle_methods: z.array(oneOf(THROTTLE_METHODS)),
      vacate_after_ms: integerBetween(0, DAY_MS),
    }),
    rebalance: oneOf(['pairs', 'gf3']),
    lease: z.strictObject({
      lease_ms: integerBetween(1000, LEASE_MS_MAX),
      margin_ms: integerBetween(1000, LEASE_MS_MAX),
    }),
    offers: z.strictObject({
      ttl_ms: integerBetween(100, DAY_MS),
      repeat_ms: integerBetween(50, DAY_MS),
      claim_step_ms: integerBetween(0, 60_000),
      claim_window_ms: integerBetween(0, 60_000),
      claim_hold_ms: integerBetween(100, DAY_MS),
    }),
    moves: z.strictObject({
      projected_max: ratio,
      gain_min: ratio,
      cooldown_ms: integerBetween(0, DAY_MS),
      item_rest_ms: integerBetween(0, DAY_MS),
    }),
    journal: z.strictObject({ sync: flag() }),
    transfer: z.strictObject({
      listen: checked(findListenFault),
      port: integerBetween(0, 65_535),
      advertise: z.array(checked(findAdvertiseFault)).max(16, 'must be at most 16 addresses'),
    }),
    disk: z.strictObject({ reserve: checked(findReserveFault) }),
    limits: z.strictObject({ output: checked(findAmountFault) }),
    accept: oneOf(['nothing', 'commands']),
    accept_from: z.array(
      z
        .string('must be a list of node ids')
        .refine((id) => id === '*' || NODE_ID_PATTERN.test(id), 'must be node ids, or * for every member'),
    ),
    requests: z.strictObject({ unsigned: z.array(oneOf(UNSIGNED_VERBS)) }),
    state: z.strictObject({ every_ms: integerBetween(100, DAY_MS), offline_after_ms: integerBetween(0, DAY_MS) }),
    retry: z.strictObject({ attempts: integerBetween(1, ATTEMPTS_MAX) }),
    keep_settled_ms: integerBetween(0, 365 * DAY_MS),
    status_kept_ms: integerBetween(0, DAY_MS),
    log_level: oneOf(['debug', 'info', 'warn', 'error', 'silent']),
  })
  .superRefine(checkKeysTogether);

function numberBetween(min: number, max: number): z.ZodNumber {
  const expected = `must be a number from ${min} to ${max}`;
  return z.number(expected).min(min, expected).max(max, expected);
}

function integerBetween(min: number, max: number): z.ZodNumber {
  const expected = `must be a whole number from ${min} to ${max}`;
  return z.number(expected).int(expected).min(min, expected).max(max, expected);
}

function flag(): z.ZodBoolean {
  return z.boolean('must be true or false');
}

function oneOf<const T extends string>(choices: readonly T[]): z.ZodType<T> {
  return z.enum(choices, `must be ${choices.slice(0, -1).join(', ')} or ${choices.at(-1)}`);
}

/** Text in which `findFault` finds no fault. */
function checked(findFault: (value: string) => string | undefined): z.ZodType<string> {
  return z.string('must be text').superRefine((value, context) => {
    const fault = findFault(value);
    if (fault !== undefined) context.addIssue({ code: 'custom', message: fault });
  });
}

function findMetricFault(metric: string): string | undefined {
  const parsed = parseMetric(metric);
  return parsed.ok ? undefined : parsed.reason;
}

function findRuleFault(text: string): string | undefined {
  const parsed = parseScumRule(text);
  return parsed.ok ? undefined : parsed.reason;
}
