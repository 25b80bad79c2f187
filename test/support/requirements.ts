/**
 * What a test needs from the machine, such as a real Mosquitto or root. If it is missing, a line says so and the test
 * is skipped. With TRITMESH_TEST_REQUIRE=all it is an error, so that a full run cannot pass by skipping.
 */

/**
 * Returns whether a test can run here; use it as `describe.skipIf(!requirement('mosquitto', found, 'apt-get install
 * …'))`.
 *
 * @param name what is needed, as users call it
 * @param isThere whether this machine has it
 * @param howToGet a sentence or a command that gets it
 * @returns `isThere`
 * @throws Error if it is missing and TRITMESH_TEST_REQUIRE=all is set
 */
export function requirement(name: string, isThere: boolean, howToGet: string): boolean {
  if (isThere) return true;
  const sentence = `needs ${name}: ${howToGet}`;
  if (process.env['TRITMESH_TEST_REQUIRE'] === 'all') throw new Error(sentence);
  process.stdout.write(`skipped: ${sentence}\n`);
  return false;
}
