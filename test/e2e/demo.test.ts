/** The demo as a user runs it: what it prints, how it ends, and that it leaves no file and no process. */
import { spawn } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { expect, it, vi } from 'vitest';
import { listProcessesBelow } from '../support/processes-below.js';
import { temporaryDirectories } from '../support/temporary-directory.js';

const DEMO = fileURLToPath(new URL('../../dist/demo/demo.js', import.meta.url));
const makeDirectory = temporaryDirectories();

interface Played {
  readonly code: number | null;
  readonly text: string;
}

/** Runs the demo with `directory` as its temporary one; `onLine` gets each line and may send a signal to the demo. */
function play(
  directory: string,
  onLine: (line: string, kill: (signal: NodeJS.Signals) => void) => void = () => undefined,
): Promise<Played> {
  if (!existsSync(DEMO)) throw new Error(`${DEMO} is not there: npm run build makes it`);
  const demo = spawn(process.execPath, [DEMO], {
    env: { ...process.env, TMPDIR: directory },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const lines: string[] = [];
  createInterface({ input: demo.stdout }).on('line', (line) => {
    lines.push(line);
    onLine(line, (signal) => demo.kill(signal));
  });
  return new Promise((resolve) => demo.once('close', (code) => resolve({ code, text: lines.join('\n') })));
}

async function expectNothingLeft(directory: string): Promise<void> {
  expect(readdirSync(directory)).toEqual([]);
  // A killed process may still be listed for a short time.
  await vi.waitFor(() => expect(listProcessesBelow(directory)).toEqual([]));
}

/** Runs `act` at the first line that contains `part`. */
function atLine(part: string, act: (kill: (signal: NodeJS.Signals) => void) => void): Parameters<typeof play>[1] {
  let isDone = false;
  return (line, kill) => {
    if (isDone || !line.includes(part)) return;
    isDone = true;
    act(kill);
  };
}

it('shows all three parts, in order, and ends with 0', async () => {
  const directory = makeDirectory();
  const { code, text } = await play(directory);
  expect(text).toMatch(
    new RegExp(
      [
        String.raw`tritmesh/node/alpha/trit +\+1`,
        String.raw`tritmesh run --id alpha --away --in compress\.sh journal\.log`,
        String.raw`work/alpha/\S+/claim/beta`,
        String.raw`work/alpha/\S+/ack +beta gets it`,
        String.raw`work/alpha/\S+/result/beta +exited, exit code 0`,
        String.raw`> [0-9a-f]{64}\n`,
        String.raw`sha256 computed here is the same, and it unpacks to what was sent`,
        String.raw`node/alpha/request/migrate +\{"select":"top"\}`,
        String.raw`node/alpha/response/migrate +ok`,
        String.raw`work/alpha/\S+/result/alpha +vacated`,
        String.raw`continuing at round [1-9]`,
        String.raw`alpha fell from \d\.\d\d to \d\.\d\d`,
        String.raw`work/alpha/\S+/status +deferred`,
        String.raw`work/alpha/\S+/status +done on \w+: exit code 0`,
        String.raw`it woke up when the sum turned negative`,
        String.raw`all done`,
      ].join('[^]*'),
    ),
  );
  expect(code).toBe(0);
  expect(text).not.toContain('\u001B');
  await expectNothingLeft(directory);
}, 240_000);

it('ends everything on Ctrl-C while its burners run', async () => {
  const directory = makeDirectory();
  const { code, text } = await play(
    directory,
    atLine('1. A job', (kill) => kill('SIGINT')),
  );
  expect(text).toContain('interrupted');
  expect(text).not.toContain('all done');
  expect(code).toBe(130);
  await expectNothingLeft(directory);
});

it('fails with a sentence when a node is gone', async () => {
  const directory = makeDirectory();
  const { code, text } = await play(
    directory,
    atLine('node/beta/availability', () => {
      const beta = listProcessesBelow(directory).find(
        ({ command }) => command.includes(' node ') && command.includes(' beta '),
      );
      process.kill(beta?.pid ?? Number.NaN, 'SIGKILL');
    }),
  );
  expect(text).toMatch(/the demo failed: node beta ended \(SIGKILL\)/);
  expect(code).toBe(1);
  await expectNothingLeft(directory);
});
