/** Defines the commands that run a node or a broker, and those that maintain their files. */
import type { Command } from 'commander';
import type { BrokerFlags } from './commands/broker.js';
import type { CleanFlags } from './commands/clean.js';
import { defineCommand, type Finish } from './define-command.js';
import { collectValues, SENSE_TEXT } from './flags.js';
import type { PasswdFlags } from './commands/passwd.js';

/** Adds `up`, `node`, `join`, `clean` and `broker` to the program. */
export function addNodeCommands(program: Command, finish: Finish): void {
  addNodeFlags(
    addBrokerFlags(
      defineCommand(
        program,
        {
          usage: 'up',
          description: 'run a broker and a node in one process, or only the node where a broker already answers',
          all: true,
          without: ['--broker'],
        },
        finish,
        async (context, _operands, flags) => {
          const { brokerPasswordFile, ...others } = flags as BrokerFlags & { brokerPasswordFile?: string };
          return (await import('./commands/up.js')).runUp(context, { ...others, ...toUsersFlag(brokerPasswordFile) });
        },
      ),
    ).option('--broker-password-file <file>', 'file of the users that may log in (see tritmesh broker passwd)'),
  );
  addNodeFlags(
    defineCommand(
      program,
      { usage: 'node', description: 'run this machine as a node of the mesh, until it is stopped', all: true },
      finish,
      async (context) => (await import('./commands/node.js')).runNode(context),
    ),
  );
  addNodeFlags(
    defineCommand(
      program,
      {
        usage: 'join',
        description: 'save the broker in the state directory, then run as "tritmesh node" does',
        all: true,
        without: ['--broker'],
        operand: 'broker',
      },
      finish,
      async (context) => (await import('./commands/join.js')).joinMesh(context),
    ).argument('<url>', 'URL of the broker: mqtt://, mqtts://, ws:// or wss://'),
  );
  defineCommand(
    program,
    { usage: 'clean', description: 'remove what is no longer needed from the state directory' },
    finish,
    async (context, _operands, flags) => (await import('./commands/clean.js')).cleanState(context, flags as CleanFlags),
  )
    .option('--dry-run', 'only show what would be removed')
    .option('--ended', 'also remove ended items and their files, which are kept for a day (keep_settled_ms)');
  addBrokerCommands(program, finish);
}

function addBrokerCommands(program: Command, finish: Finish): void {
  const broker = addBrokerFlags(
    defineCommand(
      program,
      {
        usage: 'broker',
        description: 'run the embedded broker on its own',
        except: 'passwordFile',
        without: ['--password-file'],
      },
      finish,
      async (context, _operands, flags) => {
        const { passwordFile, ...others } = flags as BrokerFlags & { passwordFile?: string };
        return (await import('./commands/broker.js')).runBroker(context, { ...others, ...toUsersFlag(passwordFile) });
      },
    ),
  ).option('--password-file <file>', 'file of the users that may log in (see tritmesh broker passwd)');
  defineCommand(
    broker,
    {
      usage: 'passwd',
      description: 'add a user of the broker, or change its password, which is read from stdin',
      except: 'passwordFile',
      without: ['--password-file'],
    },
    finish,
    async (context, [user = ''], flags) => {
      const { passwordFile, ...others } = flags as PasswdFlags & { passwordFile?: string };
      return (await import('./commands/passwd.js')).changeUser(context, user, {
        ...others,
        ...toUsersFlag(passwordFile),
      });
    },
  )
    .argument('<user>', 'name of the user: the id of its node')
    .option('--password-file <file>', 'file of the users (default: broker-users in the state directory)')
    .option('--operator', 'also let the user write the set topics of all nodes')
    .option('--remove', 'remove the user');
}

function addBrokerFlags(command: Command): Command {
  return command
    .option(
      '--listen <host>',
      'address to listen on; any address but loopback needs a password file (default: 127.0.0.1)',
    )
    .option('--port <port>', 'MQTT port; 0 picks a free one (default: 1883)')
    .option('--ws-port <port>', 'port for MQTT over WebSocket; 0 picks a free one (default: none)');
}

function addNodeFlags(command: Command): Command {
  return command
    .option('--sense <metric>', SENSE_TEXT)
    .option('--label <label>', 'label of this node; may be repeated', collectValues)
    .option('--slots <n>', 'items that may run here at the same time (default: one per core)')
    .option('--cpus <n>', 'number of cores of this machine (default: those that this process may use)')
    .addHelpText('after', '\nEvery key of the configuration is also a flag: "tritmesh config" lists them.');
}

function toUsersFlag(users: string | undefined): { readonly users?: string } {
  return users === undefined ? {} : { users };
}
