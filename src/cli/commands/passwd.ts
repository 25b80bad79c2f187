/**
 * `tritmesh broker passwd USER`: adds a user to the broker's password file, changes its password, or removes it. The
 * password comes from the terminal or from stdin, never from the command line, where other users could read it.
 */
import { createInterface } from 'node:readline';
import { Writable } from 'node:stream';
import { dropUser, findUsersFile, setUser } from '../../compose/broker.js';
import { NODE_ID_PATTERN } from '../../protocol/topics.js';
import type { Context } from '../context.js';
import { BadInput, CommandFailed, EXIT } from '../failure.js';

/** Flags of `broker passwd`. */
export interface PasswdFlags {
  readonly users?: string;
  readonly operator?: boolean;
  readonly remove?: boolean;
}

export async function changeUser(context: Context, user: string, flags: PasswdFlags): Promise<number> {
  if (!NODE_ID_PATTERN.test(user)) throw new BadInput('USER', user, 'must be the id of a node: [a-z0-9-]{1,32}');
  const path = flags.users ?? findUsersFile(context.config.state_dir);
  if (flags.remove === true) {
    if (!(await dropUser(path, user))) throw new CommandFailed(`${path} has no user ${user}`);
    context.print(`removed user ${user} from ${path}\n`);
    return EXIT.done;
  }
  const password = await readPassword(user);
  if (password === '') throw new BadInput('password', '', 'must not be empty');
  await setUser(path, user, password, flags.operator === true);
  context.print(`saved user ${user} in ${path}\n`);
  return EXIT.done;
}

/** Reads one line; a terminal does not echo it. */
function readPassword(user: string): Promise<string> {
  if (process.stdin.isTTY) process.stderr.write(`password for ${user}: `);
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() });
  const lines = createInterface({ input: process.stdin, output: silent, terminal: process.stdin.isTTY });
  return new Promise((resolve) => {
    let isRead = false;
    lines.once('line', (line) => {
      isRead = true;
      lines.close();
      if (process.stdin.isTTY) process.stderr.write('\n');
      resolve(line);
    });
    lines.once('close', () => {
      if (!isRead) resolve('');
    });
  });
}
