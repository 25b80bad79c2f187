/**
 * Converts the configuration to the settings of a node's stages. Names and units change here and nowhere else.
 */
import type { ScumPolicies } from '../core/processes/scum-policy.js';
import { parseScumRule } from '../core/processes/scum-rules.js';
import { LEASE_MS_MAX } from '../protocol/limits.js';
import type { Info } from '../protocol/messages.js';
import type { NodeSettings } from '../pipelines/settings.js';
import type { DiskAmount } from '../core/disk/disk-space.js';
import { parseAmount, parseReserve } from './amount.js';
import type { Config } from './config.js';

/** Time between SIGTERM and SIGKILL when an owner asks to stop, ms. */
const GRACE_MS = 10_000;
/** A run is silent for its first part, which most short jobs do not outlast, ms. */
const SILENT_MS = 100;
/** The longest pause between two repeats of a result, ms. */
const RESULT_PAUSE_MS = 30_000;
/** How long a result is kept for an owner that does not answer, ms: a week. */
const RESULT_KEPT_MS = 7 * 24 * 60 * 60 * 1000;
/** How long an owner waits for outputs whose receiver does not answer, in leases. */
const RETURN_LEASES = 10;
/**
 * For this long after its broker returned an owner gives nothing up, ms: half a lease if that is shorter, but at least
 * as long as other nodes need to reconnect.
 */
const RETURNED_MS = 30_000;
const RETURNED_MS_MIN = 5000;
/** How long a process stays frozen while no node takes it, and how long in total until it runs elsewhere, ms. */
const FROZEN_MS = 30_000;
const PREPARED_MS = 600_000;

/** The settings of the node that this configuration describes; `pid` is its process id. */
export function toNodeSettings(
  config: Config,
  machine: Omit<Info, 'key' | 'cpus' | 'labels' | 'transports'>,
  machineBoot: string,
  pid = 0,
): NodeSettings {
  const { lease, offers, moves, trit } = config;
  return {
    id: config.id,
    base: config.base,
    info: { ...machine, cpus: config.cpus, labels: config.labels, transports: ['https'] },
    machineBoot,
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
      // The watchdog checks every 2 s; that and this grace must fit into the owner's margin.
      leaseGraceMs: Math.min(3000, lease.margin_ms / 4),
      // Well before the owner repeats its ack, as it does until it has heard from this node.
      silentMs: Math.min(SILENT_MS, offers.repeat_ms / 2),
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

/** How much output a job may write unread, and how much disk space is reserved. */
export function toOutputRules({ disk, limits }: Config): { readonly output: DiskAmount; readonly reserve: DiskAmount } {
  return { output: toAmount(parseAmount(limits.output)), reserve: toAmount(parseReserve(disk.reserve)) };
}

/** The schema has validated the text, so anything else is a programmer error. */
function toAmount(amount: DiskAmount | undefined): DiskAmount {
  if (amount === undefined) throw new TypeError('an amount of disk space was not validated');
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
