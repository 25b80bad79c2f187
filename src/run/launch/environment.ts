/**
 * Composes the environment of a command: a short list of the node's own variables that nearly every program needs,
 * then the item's. No other variable of the node may get through, so that its secrets (`TRITMESH_*`, tokens) do not
 * leak.
 */

/** Variables of the node that a command inherits. */
const INHERITED = ['HOME', 'LANG', 'LC_ALL', 'LC_CTYPE', 'LOGNAME', 'PATH', 'SHELL', 'TMPDIR', 'TZ', 'USER'];
const PATH_DEFAULT = '/usr/local/bin:/usr/bin:/bin';

/**
 * Composes the environment of a command from the node's own (`own`) and `added`; later values override earlier ones.
 */
export function composeEnvironment(
  own: Readonly<Record<string, string | undefined>>,
  ...added: readonly Readonly<Record<string, string>>[]
): Readonly<Record<string, string>> {
  const environment: Record<string, string> = { PATH: PATH_DEFAULT };
  for (const name of INHERITED) {
    const value = own[name];
    if (value !== undefined) environment[name] = value;
  }
  return Object.assign(environment, ...added) as Record<string, string>;
}

/** The PATH of a launcher, on which it always finds `sleep`, whatever PATH the command has. */
export function composeLauncherPath(path: string | undefined): string {
  return path === undefined || path === '' ? PATH_DEFAULT : `${path}:/usr/bin:/bin`;
}
