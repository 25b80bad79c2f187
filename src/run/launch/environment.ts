/**
 * The environment of a command: a short list of the node's own variables that nearly every program needs, then what the
 * item brings. Nothing else of the node's environment gets through, so its secrets (`TRITMESH_*`, tokens) stay with it.
 */

/** Variables of the node that a command inherits. */
const INHERITED = ['HOME', 'LANG', 'LC_ALL', 'LC_CTYPE', 'LOGNAME', 'PATH', 'SHELL', 'TMPDIR', 'TZ', 'USER'];
const PATH_DEFAULT = '/usr/local/bin:/usr/bin:/bin';

/** Puts the environment of a command together; what comes later wins. */
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

/** Where the launcher finds `sleep`, whatever PATH the command has. */
export function composeLauncherPath(path: string | undefined): string {
  return path === undefined || path === '' ? PATH_DEFAULT : `${path}:/usr/bin:/bin`;
}
