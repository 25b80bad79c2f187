/** How the deadlines of supervised runs are handed over: through the pipe, or through the file of leases. */
import type { DeadlineStore } from '../watchdog/deadline.js';
import type { FormerSupervisor } from './former-supervisor.js';
import type { Supervisor } from './supervisor.js';

/** A store that changes over to files when its supervisor is lost. */
export interface SupervisedDeadlines extends DeadlineStore {
  follow(former: FormerSupervisor): void;
}

/** Creates the store of run `id` of this node's supervisor. */
export function createSupervisedDeadlines(id: number, supervisor: Supervisor): SupervisedDeadlines {
  let files: DeadlineStore | undefined;
  return {
    readDoubt: () => (files === undefined ? supervisor.doubt() : files.readDoubt()),
    write: (leftMs, doubt) => {
      if (files === undefined) supervisor.lease({ id, leftMs, doubt });
      else files.write(leftMs, doubt);
    },
    follow: (former) => (files = createFormerDeadlines(id, former)),
  };
}

/** Creates the store of a run of an earlier supervisor. */
export function createFormerDeadlines(id: number, former: FormerSupervisor): DeadlineStore {
  return {
    readDoubt: () => {
      former.refresh();
      return former.records.doubt;
    },
    write: (leftMs, doubt) => {
      const record = former.records.runs.get(id);
      if (record === undefined) throw new Error(`its supervisor has no run ${id}`);
      former.writeLease(record, leftMs, doubt);
    },
  };
}
