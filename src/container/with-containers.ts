/**
 * Puts containers before the Checkpoint port: a process in a container of podman's is looked at, and reviewed, as that
 * container. All else goes to the adapter behind it. It freezes nothing: the runner knows which of its runs are
 * containers.
 */
import type { Checkpoint } from '../checkpoint/checkpoint.js';
import type { ProcessFacts } from '../core/processes/process-facts.js';
import type { Containers } from './containers.js';

/** Makes a Checkpoint that knows containers, too. */
export function withContainers(checkpoint: Checkpoint, containers: Containers): Checkpoint {
  return {
    ...checkpoint,
    survey: (done) =>
      checkpoint.survey((survey) =>
        give(containers.survey(), ({ abilities }) =>
          done({ ...survey, abilities: [...survey.abilities, ...abilities] }),
        ),
      ),
    identify: (...pids) => {
      const ids = new Set(pids.flatMap((pid) => containers.containerOf(pid) ?? []));
      const company = new Map([...ids].flatMap((id) => containers.members(id).map((pid) => [pid, id] as const)));
      const processes = checkpoint.identify(...pids, ...company.keys());
      return company.size === 0 ? processes : markCompany(processes, company);
    },
    inspect: (subject, done) => {
      const id = containers.containerOf(subject.pid);
      if (id === undefined) checkpoint.inspect(subject, done);
      else give(containers.inspect(id, subject.directory), done);
    },
    review: (facts, directory, done) => {
      if (facts.container === undefined) checkpoint.review(facts, directory, done);
      else give(containers.review(facts, directory), done);
    },
  };
}

/** Says of each process in which container it is, as far as that was asked for. */
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

/** Gives what a promise brings; a failure is a fault of this program. */
function give<T>(work: Promise<T>, done: (value: T) => void): void {
  work.then(done).catch((error: unknown) => {
    queueMicrotask(() => {
      throw error;
    });
  });
}
