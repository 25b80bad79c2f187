/** An SSH server on the loopback for the user of the benchmark, with keys of its own. */
import { execFile } from 'node:child_process';
import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { findFreePort } from '../setup/brokers.js';
import { findInstalled } from '../setup/find-installed.js';
import { startProgram } from '../setup/program.js';
import type { Scratch } from '../setup/scratch.js';

/** Starts it; returns the command that opens a shell there. Connections are shared, as ssh does on request. */
export async function startSshd(scratch: Scratch): Promise<string> {
  const at = (name: string): string => join(scratch.directory, name);
  for (const name of ['host', 'user']) {
    await promisify(execFile)('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', at(name)]);
  }
  copyFileSync(at('user.pub'), at('authorized'));
  const port = await findFreePort();
  writeFileSync(at('sshd.conf'), formatLines(describeServer(port, at)));
  // Debian's sshd wants this directory, which its service would create.
  if (userInfo().uid === 0) mkdirSync('/run/sshd', { recursive: true, mode: 0o755 });
  const server = [findInstalled('sshd') ?? 'sshd', '-D', '-e', '-f', at('sshd.conf')];
  await startProgram(scratch, server, /Server listening/);
  writeFileSync(at('ssh.conf'), formatLines(describeClient(port, at)));
  const command = `ssh -F ${at('ssh.conf')} bench`;
  scratch.defer(async () => {
    await promisify(execFile)('ssh', ['-F', at('ssh.conf'), '-O', 'exit', 'bench']).catch(() => undefined);
  });
  // The first connection becomes the one that is shared.
  await promisify(execFile)('ssh', ['-F', at('ssh.conf'), '-fN', 'bench'], { timeout: CONNECT_MS });
  return command;
}

const CONNECT_MS = 20_000;

function describeServer(port: number, at: (name: string) => string): readonly string[] {
  return [
    `Port ${port}`,
    'ListenAddress 127.0.0.1',
    `HostKey ${at('host')}`,
    `AuthorizedKeysFile ${at('authorized')}`,
    'PidFile none',
    'StrictModes no',
    'UsePAM no',
    'PasswordAuthentication no',
    'PermitRootLogin prohibit-password',
    'MaxSessions 100',
  ];
}

function describeClient(port: number, at: (name: string) => string): readonly string[] {
  return [
    'Host bench',
    'HostName 127.0.0.1',
    `Port ${port}`,
    `User ${userInfo().username}`,
    `IdentityFile ${at('user')}`,
    'IdentitiesOnly yes',
    'BatchMode yes',
    'StrictHostKeyChecking no',
    'UserKnownHostsFile /dev/null',
    'LogLevel ERROR',
    'ControlMaster auto',
    `ControlPath ${at('control')}`,
  ];
}

function formatLines(lines: readonly string[]): string {
  return `${lines.join('\n')}\n`;
}
