/**
 * The node from which the jobs are submitted: `owner-node.mjs FLAGS RECEIVERS`, both as JSON. Prints `ready` when it ranks
 * the receivers, reads jobs as lines of JSON ({id, argv, cpus}), and prints `settled PHASE RECEIVER` for each.
 */
import { createInterface } from 'node:readline';
import { filter, firstValueFrom } from 'rxjs';
import { composeNode } from '../../src/compose/node.js';
import { loadConfig } from '../../src/config/load-config.js';
import { describeItem } from '../setup/pair.js';

interface Job {
  readonly id: string;
  readonly argv: readonly string[];
  readonly cpus: number;
}

const [flags = '', receivers = ''] = process.argv.slice(2);
const loaded = await loadConfig({ flags: JSON.parse(flags) as Record<string, string>, env: {} });
const { node, stop } = await composeNode(loaded);
const wanted = JSON.parse(receivers) as readonly string[];
node.notes$.subscribe(({ text }) => {
  const [, phase, how = ''] = /^item \S+ \(.*\) (done|failed|cancelled|lost)(.*)/.exec(text) ?? [];
  if (phase !== undefined) console.log(`settled ${phase}${how}`);
});
await firstValueFrom(node.receivers$.pipe(filter(({ ranked }) => wanted.every((id) => ranked.includes(id)))));
console.log('ready');
for await (const line of createInterface({ input: process.stdin })) {
  const { id, argv, cpus } = JSON.parse(line) as Job;
  node.submit(describeItem(id, argv, cpus), (error) => {
    if (error !== undefined) throw error;
  });
}
await stop();
process.exit(0);
