/** Checks between keys: a value can be valid alone and make no sense together with another. Pure. */
import type { Config } from './config.js';

/** Where checks report errors: the part of zod's context that they need. */
interface FaultSink {
  addIssue(issue: { code: 'custom'; path: string[]; message: string }): void;
}

/** Reports each pair of keys that do not fit together. */
export function checkKeysTogether(config: Config, sink: FaultSink): void {
  const report = (field: string, message: string): void =>
    sink.addIssue({ code: 'custom', path: field.split('.'), message });
  checkTrit(config, report);
  checkTimes(config, report);
}

type Report = (field: string, message: string) => void;

function checkTrit({ trit }: Config, report: Report): void {
  const { plus_above, plus_leave_below, minus_leave_above, minus_below } = trit;
  if (minus_below >= plus_above) report('trit.minus_below', `must be below trit.plus_above (${plus_above})`);
  // Without hysteresis the other two are not used.
  if (!trit.hysteresis) return;
  if (plus_leave_below >= plus_above) report('trit.plus_leave_below', `must be below trit.plus_above (${plus_above})`);
  if (minus_leave_above <= minus_below)
    report('trit.minus_leave_above', `must be above trit.minus_below (${minus_below})`);
  if (minus_leave_above > plus_leave_below) {
    report('trit.minus_leave_above', `must not be above trit.plus_leave_below (${plus_leave_below})`);
  }
}

function checkTimes({ offers }: Config, report: Report): void {
  if (offers.repeat_ms > offers.ttl_ms) {
    report(
      'offers.repeat_ms',
      `must not be above offers.ttl_ms (${offers.ttl_ms}): an offer is repeated while it is open`,
    );
  }
  if (offers.claim_window_ms >= offers.ttl_ms) {
    report('offers.claim_window_ms', `must be below offers.ttl_ms (${offers.ttl_ms})`);
  }
}
