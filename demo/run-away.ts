/**
 * The first part: a real job with an input file is submitted on the busy node and runs on the idle one, and its output
 * comes back. The output is checked here, independently of what the mesh reports.
 */
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { insist } from './demo-failed.js';
import type { Stage } from './stage.js';

const INPUT = 'journal.log';
const OUTPUT = `${INPUT}.gz`;
const LINES = 40_000;

const SCRIPT = 'compress.sh';

/** Runs on the other node: gzip, or zlib if there is none; then prints the sha256 of the result. */
const SCRIPT_TEXT = `
set -e
if command -v gzip >/dev/null; then
  gzip -9 "$1"
else
  "${process.execPath}" -e 'const f=require("fs"),n=process.argv[1];f.writeFileSync(n+".gz",require("zlib").gzipSync(f.readFileSync(n)))' "$1"
fi
"${process.execPath}" -e 'console.log(require("crypto").createHash("sha256").update(require("fs").readFileSync(process.argv[1])).digest("hex"))' "$1.gz"
`;

/** The command line. */
const RUN = `run --away --in ${SCRIPT} ${INPUT} --out ${OUTPUT} --name compress -- sh ${SCRIPT} ${INPUT}`.split(' ');

/** Plays the first part. */
export async function runAway({ narrator, watch, directory, tritmesh }: Stage): Promise<void> {
  const text = writeLog();
  writeFileSync(join(directory, INPUT), text);
  writeFileSync(join(directory, SCRIPT), SCRIPT_TEXT);
  narrator.print(`${INPUT}: ${Buffer.byteLength(text)} bytes, to be compressed on another node`);
  const { code, stdout, stderr } = await tritmesh('alpha', RUN);
  narrator.output(stdout);
  insist(code === 0, `tritmesh run ended with exit code ${code}: ${stderr.trim()}`);
  await watch.until('the status "done on beta" with exit code 0', ({ statuses }) =>
    [...statuses.values()].find(
      (one) => one.name === 'compress' && one.phase === 'done' && one.receiver === 'beta' && one.exit_code === 0,
    ),
  );
  compare(text, readFileSync(join(directory, OUTPUT)), stdout.trim(), narrator.print);
}

function compare(text: string, returned: Buffer, reported: string, print: (text: string) => void): void {
  const own = createHash('sha256').update(returned).digest('hex');
  insist(own === reported, `the returned file has the sha256 ${own}, but the job printed ${reported}`);
  insist(gunzipSync(returned).toString() === text, 'the returned file does not unpack to what was sent');
  print(
    `returned: ${OUTPUT}, ${returned.length} bytes; its sha256 computed here is the same, and it unpacks to what was sent`,
  );
}

/** Creates the lines of a log that compresses as logs do. */
function writeLog(): string {
  let seed = 1;
  const next = (below: number): number => {
    seed = (Math.imul(seed, 1_103_515_245) + 12_345) & 0x7f_ff_ff_ff;
    return (seed >>> 8) % below;
  };
  const line = (second: number): string =>
    `${second} kernel: [${next(100_000)}.${next(1000)}] device ${next(16)} took ${next(5000)} us for ${next(4096)} blocks\n`;
  return Array.from({ length: LINES }, (_, second) => line(second)).join('');
}
