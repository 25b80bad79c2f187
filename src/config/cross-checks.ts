/** What keys must be to each other: a value can be good by itself and make no sense beside another. Pure. */
import type { Config } from './config.js';

/** Where a check tells its fault; the part of zod's context that is needed. */
interface FaultSink {
  addIssue(issue: { code: 'custom'; path: string[]; message: string }): void;
}

/** Tells each pair of keys that does not fit. */
export function checkKeysTogether(config: Config, sink: FaultSink): void {
  const tell = (field: string, message: string): void =>
    sink.addIssue({ code: 'custom', path: field.split('.'), message });
  checkTrit(config, tell);
  checkTimes(config, tell);
}

type Tell = (field: string, message: string) => void;

function checkTrit({ trit }: Config, tell: Tell): void {
  const { plus_above, plus_leave_below, minus_leave_above, minus_below } = trit;
  if (minus_below >= plus_above) tell('trit.minus_below', `must be below trit.plus_above (${plus_above})`);
  // Without hysteresis nothing reads the other two.
  if (!trit.hysteresis) return;
  if (plus_leave_below >= plus_above) tell('trit.plus_leave_below', `must be below trit.plus_above (${plus_above})`);
  if (minus_leave_above <= minus_below)
    tell('trit.minus_leave_above', `must be above trit.minus_below (${minus_below})`);
  if (minus_leave_above > plus_leave_below) {
    tell('trit.minus_leave_above', `must not be above trit.plus_leave_below (${plus_leave_below})`);
  }
}

function checkTimes({ offers }: Config, tell: Tell): void {
  if (offers.repeat_ms > offers.ttl_ms) {
    tell(
      'offers.repeat_ms',
      `must not be above offers.ttl_ms (${offers.ttl_ms}): an offer is repeated while it stands`,
    );
  }
  if (offers.claim_window_ms >= offers.ttl_ms) {
    tell('offers.claim_window_ms', `must be below offers.ttl_ms (${offers.ttl_ms})`);
  }
}
