/** The commands that run something until they are stopped: a node, a broker, both. */
import type { Command } from 'commander';
import type { BrokerFlags } from './broker.js';
import type { CleanFlags } from './clean.js';
import { defineCommand, type Finish } from './define-command.js';
import { gather } from './flags.js';
import type { PasswdFlags } from './passwd.js';

/** Adds them. */
export function addNodeCommands(program: Command, finish: Finish): void {
  addNodeFlags(
    addBrokerFlags(
      defineCommand(
        program,
        { usage: 'up', description: 'a broker and a node on this machine', all: true, without: ['--broker'] },
        finish,
        async (context, _operands, flags) => {
          const { brokerPasswordFile, ...others } = flags as BrokerFlags & { brokerPasswordFile?: string };
          return (await import('./up.js')).runUp(context, { ...others, ...nameUsers(brokerPasswordFile) });
        },
      ),
    ).option('--broker-password-file <file>', 'users that the broker lets in (tritmesh broker passwd)'),
  );
  addNodeFlags(
    defineCommand(
      program,
      { usage: 'node', description: 'this machine as a member of the mesh', all: true },
      finish,
      async (context) => (await import('./node.js')).runNode(context),
    ),
  );
  addNodeFlags(
    defineCommand(
      program,
      {
        usage: 'join <url>',
        description: 'remember a broker, then run as node',
        all: true,
        without: ['--broker'],
        operand: 'broker',
      },
      finish,
      async (context) => (await import('./join.js')).joinMesh(context),
    ),
  );
  defineCommand(
    program,
    { usage: 'clean', description: 'remove what nobody needs any more from the state directory' },
    finish,
    async (context, _operands, flags) => (await import('./clean.js')).cleanState(context, flags as CleanFlags),
  )
    .option('--dry-run', 'only tell what would be removed')
    .option('--ended', 'ended items and their files, too, which are kept for a day (keep_settled_ms)');
  addBrokerCommands(program, finish);
}

function addBrokerCommands(program: Command, finish: Finish): void {
  const broker = addBrokerFlags(
    defineCommand(
      program,
      {
        usage: 'broker',
        description: 'the embedded broker by itself',
        except: 'passwordFile',
        without: ['--password-file'],
      },
      finish,
      async (context, _operands, flags) => {
        const { passwordFile, ...others } = flags as BrokerFlags & { passwordFile?: string };
        return (await import('./broker.js')).runBroker(context, { ...others, ...nameUsers(passwordFile) });
      },
    ),
  ).option('--password-file <file>', 'users that it lets in (tritmesh broker passwd)');
  defineCommand(
    broker,
    {
      usage: 'passwd <user>',
      description: 'add a user of the broker, or change its password, read from stdin',
      except: 'passwordFile',
      without: ['--password-file'],
    },
    finish,
    async (context, [user = ''], flags) => {
      const { passwordFile, ...others } = flags as PasswdFlags & { passwordFile?: string };
      return (await import('./passwd.js')).changeUser(context, user, { ...others, ...nameUsers(passwordFile) });
    },
  )
    .option('--password-file <file>', 'the file of users (default: in the state directory)')
    .option('--operator', 'may also set what the set topics of other nodes set')
    .option('--remove', 'remove the user');
}

function addBrokerFlags(command: Command): Command {
  return command
    .option('--listen <host>', 'address to listen on (default: 127.0.0.1); others need a password file')
    .option('--port <port>', 'MQTT port (default: 1883)')
    .option('--ws-port <port>', 'port for MQTT over WebSocket (default: none)');
}

function addNodeFlags(command: Command): Command {
  return command
    .option('--sense <metric>', 'ewma, loadavg1, cgroup, tree:PID, command:CMD or fixed:N')
    .option('--label <label>', 'label of this node; may be repeated', gather)
    .option('--slots <n>', 'items that may run here at once')
    .option('--cpus <n>', 'cores of this machine')
    .addHelpText('after', '\nEvery key of the configuration is a flag too: "tritmesh config" lists them.');
}

function nameUsers(users: string | undefined): { readonly users?: string } {
  return users === undefined ? {} : { users };
}
