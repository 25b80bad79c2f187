/**
 * What is known of a process beside its use of the machine: what rules and the never-list go by. All but the first three
 * may be unknown, where the system does not tell or it was too dear to ask.
 */

/** One process. */
export interface ProcessFacts {
  readonly pid: number;
  readonly ppid: number;
  readonly name: string;
  /** Start as the system counts it: with the pid it names a process for good. */
  readonly start?: string | undefined;
  /** Name of its user, or the number of one without a name. */
  readonly user?: string | undefined;
  /** Pid of the leader of its session. */
  readonly session?: number | undefined;
  /** It has a controlling terminal. */
  readonly terminal?: boolean | undefined;
  readonly kernelThread?: boolean | undefined;
  /** Paths of its cgroups, one for each hierarchy. */
  readonly cgroups?: readonly string[] | undefined;
  /** The first words of its command line. */
  readonly command?: readonly string[] | undefined;
  /** TCP ports that it listens on. */
  readonly ports?: readonly number[] | undefined;
  /** Id of the container that would move with it as a whole. */
  readonly container?: string | undefined;
}
