/**
 * From the configuration to what the stages of a node go by. Names and units change here and nowhere else.
 */
import type { ScumPolicies } from '../core/scum-policy.js';
import { parseScumRule } from '../core/scum-rules.js';
import { LEASE_MS_MAX } from '../protocol/limits.js';
import type { Info } from '../protocol/messages.js';
import type { NodeSettings } from '../pipelines/settings.js';
import type { DiskAmount } from '../core/disk-room.js';
import { parseAmount, parseReserve } from './amount.js';
import type { Config } from './config.js';

/** SIGTERM to SIGKILL when an owner asks to stop, ms. */
const GRACE_MS = 10_000;
/** The longest pause between two tellings of a result, ms. */
const RESULT_PAUSE_MS = 30_000;
/** How long a result is kept for an owner that does not answer: a week, ms. */
const RESULT_KEPT_MS = 7 * 24 * 60 * 60 * 1000;
/** How many leases long an owner waits for outputs whose receiver does not answer. */
const RETURN_LEASES = 10;
/** How long after its broker returned an owner gives nothing up, ms; half a lease where that is less, but as long as others need to connect. */
const RETURNED_MS = 30_000;
const RETURNED_MS_MIN = 5000;
/** How long a process stays stopped while nobody takes it, and in all until it runs elsewhere, ms. */
const FROZEN_MS = 30_000;
const PREPARED_MS = 600_000;

/** The settings of the node that this configuration describes; `pid` is its process. */
export function toNodeSettings(
  config: Config,
  machine: Omit<Info, 'key' | 'cpus' | 'labels' | 'transports'>,
  machineRun: string,
  pid = 0,
): NodeSettings {
  const { lease, offers, moves, trit } = config;
  return {
    id: config.id,
    base: config.base,
    info: { ...machine, cpus: config.cpus, labels: config.labels, transports: ['https'] },
    machineRun,
    journalSync: config.journal.sync,
    slots: config.slots,
    diskReserve: toAmount(parseReserve(config.disk.reserve)),
    trit: {
      plusAbove: trit.plus_above,
      plusLeaveBelow: trit.plus_leave_below,
      minusBelow: trit.minus_below,
      minusLeaveAbove: trit.minus_leave_above,
      plusHoldMs: trit.plus_hold_ms,
      minusHoldMs: trit.minus_hold_ms,
      ergodicHoldMs: trit.ergodic_hold_ms,
      hysteresis: trit.hysteresis,
    },
    scumFormula: config.scum.formula,
    scum: toScumPolicies(config),
    pid,
    brokerPort: findPort(config.broker),
    rebalance: config.rebalance,
    mesh: { offlineAfterMs: config.state.offline_after_ms, plusAbove: config.trit.plus_above },
    moves: {
      projectedMax: moves.projected_max,
      gainMin: moves.gain_min,
      cooldownMs: moves.cooldown_ms,
      itemRestMs: moves.item_rest_ms,
    },
    owner: {
      leaseMs: lease.lease_ms,
      marginMs: lease.margin_ms,
      offerTtlMs: offers.ttl_ms,
      repeatMs: offers.repeat_ms,
      claimWindowMs: offers.claim_window_ms,
      returnMs: lease.lease_ms * RETURN_LEASES,
      returnedMs: Math.min(RETURNED_MS, Math.max(RETURNED_MS_MIN, lease.lease_ms / 2)),
      frozenMs: FROZEN_MS,
      preparedMs: PREPARED_MS,
      processLeaseMs: LEASE_MS_MAX,
    },
    receiver: {
      claimHoldMs: offers.claim_hold_ms,
      graceMs: Math.min(GRACE_MS, lease.lease_ms / 2),
      // The guardian looks every 2 s; both must be over before the owner's margin is.
      leaseGraceMs: Math.min(3000, lease.margin_ms / 4),
      repeatMs: offers.repeat_ms,
      repeatMaxMs: RESULT_PAUSE_MS,
      keepMs: RESULT_KEPT_MS,
      imageNeed: machine.abilities.filter((one) => one === 'criu' || one.startsWith('cpu-x86-64-')),
    },
    claimStepMs: offers.claim_step_ms,
    stateEveryMs: config.state.every_ms,
    accept: config.accept,
    acceptFrom: config.accept_from,
    unsignedVerbs: config.requests.unsigned,
    keepSettledMs: config.keep_settled_ms,
    statusKeptMs: config.status_kept_ms,
  };
}

/** How much a job may write that nobody reads, and what is kept of the disk. */
export function toOutputRules({ disk, limits }: Config): { readonly output: DiskAmount; readonly reserve: DiskAmount } {
  return { output: toAmount(parseAmount(limits.output)), reserve: toAmount(parseReserve(disk.reserve)) };
}

/** The schema lets nothing in that is none. */
function toAmount(amount: DiskAmount | undefined): DiskAmount {
  if (amount === undefined) throw new TypeError('an amount of disk was not checked');
  return amount;
}

function toScumPolicies({ scum }: Config): ScumPolicies {
  return {
    throttle: scum.throttle,
    migrate: scum.migrate,
    rules: scum.rules.flatMap((text) => {
      const parsed = parseScumRule(text);
      return parsed.ok ? [parsed.rule] : [];
    }),
    sharePercent: scum.share_percent,
    vacateAfterMs: scum.vacate_after_ms,
  };
}

const PORTS: Readonly<Record<string, number>> = { 'mqtt:': 1883, 'mqtts:': 8883, 'ws:': 80, 'wss:': 443 };

function findPort(broker: string): number {
  const { port, protocol } = new URL(broker);
  return port === '' ? (PORTS[protocol] ?? 0) : Number(port);
}
