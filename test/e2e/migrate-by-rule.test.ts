/**
 * The matrix moves an external process if a rule allows it: from a PLUS host to an idle one, with a reason, and with a
 * complete count at the end. Without a matching rule the process stays.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { requirement } from '../support/requirements.js';
import { findCountFault, isThere } from '../support/counters.js';
import { canFreeze } from '../support/criu.js';
import { BROKERS } from '../support/brokers.js';
import { fields, isStatus, openScene, WITH_CRIU, type BusListener, type Heard } from '../support/programs.js';
import { canMakeHosts, PLACE } from '../support/two-hosts.js';
import { openTwoNodes, type TwoNodes } from '../support/two-nodes.js';

const hasGcc = requirement('gcc', isThere('gcc', '--version'), 'apt-get install gcc');
const directory = mkdtempSync(join(tmpdir(), 'tritmesh-rule-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));
const outputOf = (program: string): string => `${PLACE}/${basename(program)}.out`;
/** Most of a core: heavy enough for SCUM. */
const SHARE = ['80000', '20000'];

const SENSES = {
  TRITMESH_SENSE_PROCESSES_EVERY_MS: '1000',
  // Candidates are checked again after this time: at first a process is too young for a move to pay off.
  TRITMESH_MOVES_COOLDOWN_MS: '1000',
  TRITMESH_SCUM_THROTTLE: 'off',
  TRITMESH_SCUM_MIGRATE: 'opt-in',
};

describe.skipIf(!canFreeze || !canMakeHosts || !hasGcc)('a process that a rule names', () => {
  it('moves from a PLUS host unasked, another one does not', { timeout: 180_000 }, async () => {
    const [named, other] = [build('named'), build('other')];
    await withMesh({ ...SENSES, TRITMESH_SCUM_RULES: 'migrate:name=named' }, async (mesh, ear) => {
      const [one] = mesh.nodes;
      const start = ({ program, book }: typeof named): Promise<number> =>
        one.host.start(program, [book, '7', ...SHARE], outputOf(program));
      const [pid, otherPid] = [await start(named), await start(other)];
      const moved = fields(await ear.next((message) => isEvent(message, 'item_moved')));
      expect(moved).toMatchObject({ from: 'one', to: 'two' });
      expect(moved['reason']).toMatch(/^this node is PLUS at 0\.95, .*rule migrate:name=named/);
      const item = String(moved['item']);
      // The process named by the rule may have been too young at first; the other one was never considered.
      const refused = ear.heard.filter((message) => isEvent(message, 'move_refused')).map((message) => fields(message));
      expect(refused.filter((event) => event['pid'] !== pid)).toEqual([]);
      expect(one.host.run('ps', '-o', 'stat=', '-p', String(otherPid))).toMatch(/^[RSD]/);
      mkdirSync(join(named.book, 'end'));
      expect(fields(await ear.next(isStatus(item, 'done', 'failed', 'lost')))).toMatchObject({
        phase: 'done',
        receiver: 'two',
        exit_code: 7,
      });
      const lines = readFileSync(one.host.path(outputOf(named.program)), 'utf8');
      expect(findCountFault(lines, lines.split('\n').length - 1)).toBeUndefined();
      // It continued counting while it was away, each line once, and was started once.
      const noted = readdirSync(named.book);
      expect(noted.filter((name) => /^(?:twice|overlap|start-[^1])/.test(name))).toEqual([]);
      expect(noted.filter((name) => name.startsWith('1-'))).toHaveLength(lines.split('\n').length - 1);
      mkdirSync(join(other.book, 'end'));
      expect(ear.heard.filter((message) => isEvent(message, 'item_moved'))).toHaveLength(1);
    });
  });
});

/** A burner with this name and a directory in which `go` already exists. */
function build(name: string): { readonly program: string; readonly book: string } {
  const program = join(directory, name);
  const book = join(directory, `${name}-book`);
  mkdirSync(join(book, 'go'), { recursive: true });
  execFileSync('gcc', ['-O1', '-o', program, fileURLToPath(new URL('../fixtures/burn.c', import.meta.url))]);
  return { program, book };
}

async function withMesh(
  env: Readonly<Record<string, string>>,
  play: (mesh: TwoNodes, ear: BusListener) => Promise<void>,
): Promise<void> {
  const [first] = BROKERS;
  if (first === undefined) throw new Error('no broker');
  const broker = await first.open();
  const scene = openScene(broker.url);
  const ear = await scene.ear();
  const mesh = await openTwoNodes(broker, ['fixed:0.95', 'fixed:0.1'], [{ ...WITH_CRIU, ...env }, WITH_CRIU]);
  try {
    await play(mesh, ear);
  } catch (error) {
    throw new Error(`${String(error)}\n${mesh.nodes.map((node) => node.output()).join('\n')}`, { cause: error });
  } finally {
    await mesh.end();
    await scene.end();
    await broker.close();
  }
}

function isEvent({ topic, text }: Heard, type: string): boolean {
  return topic === 'tritmesh/node/one/event' && text.includes(`"event_type":"${type}"`);
}
