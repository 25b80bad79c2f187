/** How the program of tritmesh is recognized in a command line: its processes are never moved, throttled or ended. */

/** As installed, or as built in a checkout, by any version. */
const PROGRAM =
  /(?:^|\/)tritmesh(?:-supervisor)?$|\/dist\/(?:src\/cli\/main\.js|bin\/(?:tritmesh\.js|supervisor\.cjs))$/;

/** Whether a word of a command line is the path of the program. */
export function isTritmeshProgram(word: string): boolean {
  return PROGRAM.test(word);
}
