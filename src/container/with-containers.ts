/**
 * Wraps a Checkpoint: a process in a podman container is checked as that container, at both ends, and everything
 * else is passed to the wrapped adapter. Never freezes a container: the runner knows which of its runs are
 * containers.
 */
import type { Checkpoint } from '../checkpoint/checkpoint.js';
import type { ProcessFacts } from '../core/processes/process-facts.js';
import type { Containers } from './containers.js';

/** Returns a Checkpoint that handles containers as well, and reports their abilities. */
export function withContainers(checkpoint: Checkpoint, containers: Containers): Checkpoint {
  return {
    ...checkpoint,
    capabilities: (done) =>
      checkpoint.capabilities((own) =>
        give(containers.capabilities(), ({ abilities }) =>
          done({ ...own, abilities: [...own.abilities, ...abilities] }),
        ),
      ),
    identify: (...pids) => {
      const ids = new Set(pids.flatMap((pid) => containers.containerOf(pid) ?? []));
      const company = new Map([...ids].flatMap((id) => containers.members(id).map((pid) => [pid, id] as const)));
      const processes = checkpoint.identify(...pids, ...company.keys());
      return company.size === 0 ? processes : markCompany(processes, company);
    },
    preflightDump: (subject, done) => {
      const id = containers.containerOf(subject.pid);
      if (id === undefined) checkpoint.preflightDump(subject, done);
      else give(containers.preflightExport(id, subject.directory), done);
    },
    preflightRestore: (facts, directory, done) => {
      if (facts.container === undefined) checkpoint.preflightRestore(facts, directory, done);
      else give(containers.preflightRestore(facts, directory), done);
    },
  };
}

/** Adds the container to each process that is in `company`. */
function markCompany(
  processes: ReadonlyMap<number, ProcessFacts>,
  company: ReadonlyMap<number, string>,
): ReadonlyMap<number, ProcessFacts> {
  const mark = (found: ProcessFacts): ProcessFacts => {
    const container = company.get(found.pid);
    return container === undefined ? found : { ...found, container };
  };
  return new Map([...processes].map(([pid, found]) => [pid, mark(found)]));
}

/** Passes the value of a promise on. A rejection is a bug in this program and crashes it. */
function give<T>(work: Promise<T>, done: (value: T) => void): void {
  work.then(done).catch((error: unknown) => {
    queueMicrotask(() => {
      throw error;
    });
  });
}
