/** A directory of small files, such as /proc, for one test. It is below the system's directory for such things. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { onTestFinished } from 'vitest';

export interface FileTree {
  readonly directory: string;
  /** Writes files by their path in the tree; `undefined` removes one, or a directory. */
  write(files: Readonly<Record<string, string | Buffer | undefined>>): void;
}

/** Makes a tree that is removed when the test is over. */
export function createFileTree(files: Readonly<Record<string, string | Buffer>>): FileTree {
  const directory = mkdtempSync(join(tmpdir(), 'tritmesh-sense-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  const tree: FileTree = {
    directory,
    write: (changes) => {
      for (const [path, text] of Object.entries(changes)) {
        const file = join(directory, path);
        if (text === undefined) {
          rmSync(file, { recursive: true, force: true });
          continue;
        }
        mkdirSync(dirname(file), { recursive: true });
        writeFileSync(file, text);
      }
    },
  };
  tree.write(files);
  return tree;
}

/** What `/proc/PID/stat` says; the fields that nobody reads are 0. */
export function procStat(process: {
  readonly pid: number;
  readonly ppid: number;
  readonly name?: string;
  readonly own?: number;
  readonly children?: number;
  readonly start?: number;
  readonly pages?: number;
  readonly session?: number;
  readonly terminal?: number;
  readonly flags?: number;
}): string {
  const { pid, ppid, name = 'program', own = 0, children = 0, start = 0, pages = 1 } = process;
  const { session = 1, terminal = 0, flags = 4_194_304 } = process;
  const user = Math.floor(own / 2);
  return `${pid} (${name}) S ${ppid} 1 ${session} ${terminal} -1 ${flags} 0 0 0 0 ${user} ${own - user} ${children} 0 20 0 1 0 ${start} 1000 ${pages} 0 0\n`;
}

/** The files of a /proc that the machine itself is read from. */
export function procMachine(
  reading: {
    readonly busy?: number;
    readonly idle?: number;
    readonly running?: number;
    readonly blocked?: number;
    readonly load1?: string;
  } = {},
): Record<string, string> {
  const { busy = 0, idle = 0, running = 1, blocked = 0, load1 = '0.00' } = reading;
  return {
    stat: [
      `cpu  ${busy} 0 0 ${idle} 0 0 0 0 0 0`,
      `cpu0 ${busy} 0 0 ${idle} 0 0 0 0 0 0`,
      'intr 0 0',
      'ctxt 557061',
      `procs_running ${running}`,
      `procs_blocked ${blocked}`,
      'softirq 0 0',
      '',
    ].join('\n'),
    loadavg: `${load1} 0.08 0.02 1/87 4867\n`,
    meminfo: 'MemTotal:       1000000 kB\nMemFree:         100000 kB\nMemAvailable:    750000 kB\nBuffers: 5 kB\n',
    uptime: '1000.00 1900.00\n',
    'pressure/cpu': 'some avg10=2.17 avg60=1.11 avg300=0.42 total=9243012\nfull avg10=0.00 avg60=0.00 total=0\n',
  };
}
