// Two nodes and a view of their mesh in one program. Start a broker first (`tritmesh broker`), then:
//   node docs/examples/two-nodes.mjs mqtt://127.0.0.1:1883 /tmp/two-nodes
import { filter, firstValueFrom, map } from 'rxjs';
import { createNode, meshView } from 'tritmesh';

const [broker = 'mqtt://127.0.0.1:1883', directory = '/tmp/two-nodes'] = process.argv.slice(2);

// A busy node and an idle one; a real node senses its load itself.
const busy = await createNode({ id: 'busy', broker, state_dir: `${directory}/busy`, sense: { metric: 'fixed:0.9' } });
const idle = await createNode({ id: 'idle', broker, state_dir: `${directory}/idle`, sense: { metric: 'fixed:0.1' } });

const view = await meshView({ broker });
const sum = await firstValueFrom(view.sum$.pipe(filter((one) => one.online === 2)));
console.log(`sum ${sum.sum}, direction ${sum.direction}`);

const id = await busy.submit({ command: { argv: ['uname', '-s'] } });
const done = await firstValueFrom(
  busy.items$.pipe(
    map((items) => items.find((one) => one.spec.id === id)),
    filter((one) => one?.phase === 'done'),
  ),
);
console.log(`${done.spec.name} ran on ${done.receiver} with exit code ${done.result?.exit_code}`);

await view.stop();
await busy.stop();
await idle.stop();
