/**
 * Facts about a process other than its resource usage: what rules and the list of protected processes depend on. All
 * but the first three may be unknown, if the system does not report them or they were too expensive to determine.
 */

/** One process. */
export interface ProcessFacts {
  readonly pid: number;
  readonly ppid: number;
  readonly name: string;
  /** Start time as the system counts it: together with the pid it identifies a process. */
  readonly start?: string | undefined;
  /** Name of its user, or the numeric id of a user without a name. */
  readonly user?: string | undefined;
  /** Pid of its session leader. */
  readonly session?: number | undefined;
  /** It has a controlling terminal. */
  readonly terminal?: boolean | undefined;
  readonly kernelThread?: boolean | undefined;
  /** Paths of its cgroups, one for each hierarchy. */
  readonly cgroups?: readonly string[] | undefined;
  /** The first arguments of its command line. */
  readonly command?: readonly string[] | undefined;
  /** TCP ports that it listens on. */
  readonly ports?: readonly number[] | undefined;
  /** Id of its container, which would move as a whole. */
  readonly container?: string | undefined;
}
