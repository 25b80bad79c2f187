/** What `tritmesh doctor` looks at on this machine: Node, files, programs, senses, the port of transfers. */
import { existsSync } from 'node:fs';
import { access, constants, readFile, stat } from 'node:fs/promises';
import { createServer } from 'node:net';
import { delimiter, dirname, join } from 'node:path';
import { findStateFault, loadSigner, senseOnce } from '../compose-client.js';
import type { Config } from '../config/config.js';
import { toOutputRules } from '../config/node-settings.js';
import { stepDisk } from '../core/disk-room.js';
import { createDiskReader } from '../os/disk-space.js';
import { measureTree } from '../os/measure-tree.js';
import { broken, describeError, good, missing, type Finding } from './finding.js';
import { formatBytes } from './render/words.js';

const NODE_MIN: readonly [major: number, minor: number] = [20, 19];
const OTHERS_MASK = 0o077;

/** Node's version and what the kernel shows. */
export async function checkMachine(): Promise<readonly Finding[]> {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  const isNew = major > NODE_MIN[0] || (major === NODE_MIN[0] && minor >= NODE_MIN[1]);
  const found = `${process.versions.node} on ${process.platform} ${process.arch}`;
  const node = isNew ? good('node', found) : broken('node', found, `install Node ${NODE_MIN.join('.')} or newer`);
  return process.platform === 'linux' ? [node, await checkProc(), await checkPressure()] : [node];
}

async function checkProc(): Promise<Finding> {
  try {
    await readFile('/proc/stat', 'utf8');
    return good('/proc', 'readable');
  } catch (error) {
    return broken('/proc', describeError(error), 'mount proc: a node on Linux reads load and processes there');
  }
}

async function checkPressure(): Promise<Finding> {
  try {
    const text = await readFile('/proc/pressure/cpu', 'utf8');
    return good('pressure (PSI)', text.split('\n')[0] ?? '');
  } catch {
    return missing(
      'pressure (PSI)',
      'not told by this kernel',
      'nothing needed; "psi=1" on the kernel command line adds psi_percent',
    );
  }
}

/** The state directory and the key in it. */
export async function checkFiles(config: Config): Promise<readonly Finding[]> {
  return [await checkStateDirectory(config.state_dir), ...(await checkDisk(config)), await checkKey(config)];
}

async function checkStateDirectory(path: string): Promise<Finding> {
  const what = 'state directory';
  try {
    const { mode } = await stat(path);
    await access(path, constants.R_OK | constants.W_OK | constants.X_OK);
    const fault = await findStateFault(path);
    if (fault !== undefined) return broken(what, fault, 'do as it says');
    if ((mode & OTHERS_MASK) === 0) return good(what, path);
    return missing(what, `${path} is open to other users`, `chmod 700 ${path}`);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return checkParent(what, path);
    return broken(what, describeError(error), `make ${path} readable and writable, or name another with --state-dir`);
  }
}

async function checkParent(what: string, path: string): Promise<Finding> {
  const parent = dirname(path);
  try {
    await access(parent, constants.W_OK | constants.X_OK);
    return good(what, `${path} will be made at the first start`);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT' && parent !== path) {
      return checkParent(what, parent);
    }
    return broken(what, describeError(error), 'name a directory that you may write with --state-dir');
  }
}

/** Room on the disk of the state directory, what is kept of it, and how large the directory is. */
async function checkDisk(config: Config): Promise<readonly Finding[]> {
  const what = 'disk';
  const size = await measureTree(config.state_dir);
  const found = `state directory ${formatBytes(size)}`;
  try {
    const sample = await createDiskReader(findPresent(config.state_dir))();
    const disk = stepDisk(undefined, sample, toOutputRules(config).reserve);
    const rest = `${found}, ${formatBytes(disk.freeBytes)} free, ${formatBytes(disk.reserve)} kept (disk.reserve)`;
    if (!disk.isFull) return [good(what, rest)];
    return [broken(what, rest, 'free space, or lower disk.reserve: the node takes nothing; "tritmesh clean" may help')];
  } catch (error) {
    return [
      missing(what, `${found}, room not known: ${describeError(error)}`, 'nothing needed: it is taken to suffice'),
    ];
  }
}

function findPresent(path: string): string {
  return existsSync(path) || path === dirname(path) ? path : findPresent(dirname(path));
}

async function checkKey({ state_dir, id }: Config): Promise<Finding> {
  try {
    const signer = await loadSigner(state_dir, id);
    if (signer !== undefined) return good('key', signer.identity.publicKey);
    return missing('key', 'none yet', 'start the node once: it makes its key');
  } catch (error) {
    return broken('key', describeError(error), 'do as it says');
  }
}

/** The programs that are started by name. */
export async function checkPrograms(): Promise<readonly Finding[]> {
  const shell = await findProgram('sh');
  const sleep = await findProgram('sleep');
  const mosquitto = await findProgram('mosquitto_sub');
  const guardian =
    shell !== undefined && sleep !== undefined
      ? good('guardian', `${shell}, ${sleep}`)
      : broken('guardian', 'no sh or no sleep in PATH', 'put a POSIX shell and coreutils into PATH: each job has one');
  const watching =
    mosquitto === undefined
      ? missing('mosquitto_sub', 'not in PATH', 'nothing needed; apt-get install mosquitto-clients shows the bus')
      : good('mosquitto_sub', mosquitto);
  return [guardian, watching];
}

async function findProgram(name: string): Promise<string | undefined> {
  for (const directory of (process.env['PATH'] ?? '').split(delimiter)) {
    const path = join(directory, name);
    if (directory !== '' && (await isProgram(path))) return path;
  }
  return undefined;
}

async function isProgram(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK);
    return (await stat(path)).isFile();
  } catch {
    return false;
  }
}

/** Whether the configured metric gives a number here. */
export async function checkSense({ sense, cpus }: Config): Promise<readonly Finding[]> {
  const what = `sense ${sense.metric}`;
  try {
    const sample = await senseOnce(sense.metric, cpus);
    return [
      good(what, `ratio ${sample.ratio.toFixed(2)}, ${sample.cpus} cpus, memory ${sample.memoryPercent.toFixed(0)} %`),
    ];
  } catch (error) {
    return [broken(what, describeError(error), 'choose another with --sense: ewma, loadavg1, cgroup, tree:PID …')];
  }
}

/** Whether files can be served where the configuration says. */
export async function checkTransfer({ transfer }: Config): Promise<readonly Finding[]> {
  const what = 'transfer port';
  const place = `${transfer.listen}:${transfer.port === 0 ? 'any free port' : transfer.port}`;
  try {
    await tryListening(transfer.listen, transfer.port);
    return [good(what, place)];
  } catch (error) {
    // A node that runs here has its port.
    if (error instanceof Error && 'code' in error && error.code === 'EADDRINUSE')
      return [good(what, `${place}, in use`)];
    return [broken(what, describeError(error), 'set transfer.listen and transfer.port to what this machine has')];
  }
}

function tryListening(host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen({ host, port }, () => server.close(() => resolve()));
  });
}
