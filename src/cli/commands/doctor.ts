/**
 * `tritmesh doctor`: checks everything a node needs on this machine and reports what to do about each problem. It
 * changes and starts nothing. On the bus it sends a few requests and publishes one event.
 */
import type { Config } from '../../config/config.js';
import { printJson, type Context } from '../context.js';
import { checkFiles, checkMachine, checkPrograms, checkSense, checkTransfer } from '../doctor/check-machine.js';
import { checkMesh } from '../doctor/check-mesh.js';
import { EXIT } from '../failure.js';
import type { Finding } from '../doctor/finding.js';
import { renderTable } from '../render/table.js';

/** Runs all checks and prints the findings; resolves with exit code 1 if one is `broken`. */
export async function examine(context: Context): Promise<number> {
  const findings = await collectFindings(context.config, context.record);
  if (context.json) printJson(context, findings);
  else context.print(renderFindings(findings, context.width));
  return findings.some((one) => one.verdict === 'broken') ? EXIT.failed : EXIT.done;
}

async function collectFindings(config: Config, record: Context['record']): Promise<readonly Finding[]> {
  const parts = await Promise.all([
    checkMachine(),
    checkFiles(config),
    checkPrograms(),
    checkSense(config),
    checkMesh(config, record),
    checkTransfer(config),
  ]);
  return parts.flat();
}

function renderFindings(findings: readonly Finding[], width: number): string {
  const columns = [{ head: 'what' }, { head: 'verdict' }, { head: 'found' }];
  const rows = findings.map((one) => [one.what, one.verdict, one.found]);
  const todo = findings.filter((one) => one.todo !== undefined).map((one) => `${one.what}: ${one.todo ?? ''}\n`);
  const advice = todo.length === 0 ? 'nothing to do\n' : `to do:\n${todo.map((line) => `  ${line}`).join('')}`;
  return `${renderTable(columns, rows, width)}\n\n${advice}`;
}
