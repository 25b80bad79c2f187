/** The checks of `tritmesh doctor` on this machine: Node.js, files, programs, the load metric, the transfer port. */
import { existsSync } from 'node:fs';
import { access, constants, readFile, stat } from 'node:fs/promises';
import { createServer } from 'node:net';
import { dirname } from 'node:path';
import { findStateFault, loadSigner, senseOnce } from '../../compose/client.js';
import { findSupervisor } from '../../compose/supervisor.js';
import type { Config } from '../../config/config.js';
import { toOutputRules } from '../../config/node-settings.js';
import { stepDisk } from '../../core/disk/disk-space.js';
import { createDiskReader } from '../../os/disk-space.js';
import { describeError, errorCode } from '../../os/errors.js';
import { findOnPath } from '../../os/find-program.js';
import { measureTree } from '../../os/measure-tree.js';
import { broken, good, missing, type Finding } from './finding.js';
import { formatByteCount } from '../render/format.js';

const NODE_MIN: readonly [major: number, minor: number] = [20, 19];
const OTHERS_MASK = 0o077;

/** The version of Node.js, and what the kernel provides. */
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
    return broken('/proc', describeError(error), 'mount /proc: on Linux a node reads load and processes from it');
  }
}

async function checkPressure(): Promise<Finding> {
  try {
    const text = await readFile('/proc/pressure/cpu', 'utf8');
    return good('pressure (PSI)', text.split('\n')[0] ?? '');
  } catch {
    return missing(
      'pressure (PSI)',
      'not provided by this kernel',
      'optional: "psi=1" on the kernel command line adds psi_percent',
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
    if (fault !== undefined) return broken(what, fault, 'do as the message says');
    if ((mode & OTHERS_MASK) === 0) return good(what, path);
    return missing(what, `${path} is open to other users`, `chmod 700 ${path}`);
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return checkParent(what, path);
    return broken(what, describeError(error), `make ${path} readable and writable, or name another with --state-dir`);
  }
}

async function checkParent(what: string, path: string): Promise<Finding> {
  const parent = dirname(path);
  try {
    await access(parent, constants.W_OK | constants.X_OK);
    return good(what, `${path} will be created at the first start`);
  } catch (error) {
    if (errorCode(error) === 'ENOENT' && parent !== path) {
      return checkParent(what, parent);
    }
    return broken(what, describeError(error), 'name a directory that you can write to with --state-dir');
  }
}

/** Free space on the disk of the state directory, the reserve, and the size of the directory. */
async function checkDisk(config: Config): Promise<readonly Finding[]> {
  const what = 'disk';
  const size = await measureTree(config.state_dir);
  const found = `state directory ${formatByteCount(size)}`;
  try {
    const sample = await createDiskReader(findPresent(config.state_dir))();
    const disk = stepDisk(undefined, sample, toOutputRules(config).reserve);
    const rest = `${found}, ${formatByteCount(disk.freeBytes)} free, ${formatByteCount(disk.reserve)} reserved (disk.reserve)`;
    if (!disk.isFull) return [good(what, rest)];
    return [
      broken(what, rest, 'free some space ("tritmesh clean" may help) or lower disk.reserve: the node accepts no work'),
    ];
  } catch (error) {
    return [
      missing(
        what,
        `${found}, free space unknown: ${describeError(error)}`,
        'nothing: the node assumes that it is enough',
      ),
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
    return missing('key', 'none yet', 'start the node once: it creates its key');
  } catch (error) {
    return broken('key', describeError(error), 'do as the message says');
  }
}

/** The programs that are found through PATH. */
export async function checkPrograms(): Promise<readonly Finding[]> {
  const [shell, sleep, mosquitto] = ['sh', 'sleep', 'mosquitto_sub'].map((name) =>
    findOnPath(name, process.env['PATH'] ?? ''),
  );
  const watchdog =
    shell !== undefined && sleep !== undefined
      ? good('watchdog', `${shell}, ${sleep}`)
      : broken(
          'watchdog',
          'no sh or no sleep in PATH',
          'add a POSIX shell and coreutils to PATH: the warden of the supervisor and the watchdog of a container need them',
        );
  const watching =
    mosquitto === undefined
      ? missing('mosquitto_sub', 'not in PATH', 'optional: it shows the bus (apt-get install mosquitto-clients)')
      : good('mosquitto_sub', mosquitto);
  return [watchdog, await checkSupervisor(), watching];
}

/** Which program starts the jobs, and what the Node.js one lacks. */
async function checkSupervisor(): Promise<Finding> {
  const what = 'supervisor';
  const found = await findSupervisor();
  if (found === undefined) return broken(what, 'no program of it is there', 'install tritmesh again');
  if (found.kind === 'native') return good(what, found.program);
  const place = found.args.join(' ');
  if (process.platform !== 'linux') return good(what, place);
  return missing(
    what,
    place,
    'optional: install a C compiler and build tritmesh again. The C program starts jobs faster, reaps what they leave ' +
      'behind, and measures the cpu time of each exactly',
  );
}

/** Whether the configured metric can be read here. */
export async function checkSense({ sense, cpus }: Config): Promise<readonly Finding[]> {
  const what = `sense ${sense.metric}`;
  try {
    const sample = await senseOnce(sense.metric, cpus);
    return [
      good(what, `ratio ${sample.ratio.toFixed(2)}, ${sample.cpus} cpus, memory ${sample.memoryPercent.toFixed(0)} %`),
    ];
  } catch (error) {
    return [
      broken(what, describeError(error), 'choose another metric with --sense: ewma, loadavg1, cgroup, tree:PID …'),
    ];
  }
}

/** Whether this machine can listen on the configured transfer address and port. */
export async function checkTransfer({ transfer }: Config): Promise<readonly Finding[]> {
  const what = 'transfer port';
  const place = `${transfer.listen}:${transfer.port === 0 ? 'any free port' : transfer.port}`;
  try {
    await tryListening(transfer.listen, transfer.port);
    return [good(what, place)];
  } catch (error) {
    // A node that runs here already listens there.
    if (errorCode(error) === 'EADDRINUSE') return [good(what, `${place}, in use`)];
    return [
      broken(
        what,
        describeError(error),
        'set transfer.listen and transfer.port to an address and a port of this machine',
      ),
    ];
  }
}

function tryListening(host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen({ host, port }, () => server.close(() => resolve()));
  });
}
