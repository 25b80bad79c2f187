/**
 * The fork server: a Node.js program that spawns launchers on behalf of a node. The cost of a fork grows with the
 * memory of the forking process (measured: 3 ms at 50 MB, 7 ms and more at 110 MB, plus a copy of each page written
 * afterwards), so the node leaves it to a small process. It must never outlive its node.
 */

/**
 * Program text for `node -e`. Arguments: the launcher's text, and the number of launchers to keep waiting. Messages
 * are lines: it writes `ready PID` and `ended PID SIGNAL` (`-` for none), and reads `go PID DIRECTORY` and `drop
 * PID`. It exits at the end of its stdin, and waiting launchers with it; those with an order continue.
 */
export const FORK_SERVER: string = `
const { spawn } = require('node:child_process');
const { closeSync, fstatSync, readFileSync, readdirSync } = require('node:fs');
const [launcher, spares] = process.argv.slice(1);
const options = { cwd: '/', detached: true, stdio: ['pipe', 'ignore', 'ignore'] };
const waiting = new Map();

// The log of the node's journal is open without O_CLOEXEC: a job that holds it cannot be frozen, and should not have it
// anyway.
function closeInherited() {
  for (const fd of readdirSync('/proc/self/fd').map(Number)) {
    try {
      const flags = /^flags:\\s*([0-7]+)$/m.exec(readFileSync('/proc/self/fdinfo/' + fd, 'latin1'))[1];
      if (fd > 2 && !(parseInt(flags, 8) & 0o2000000) && !fstatSync(fd).isSocket()) closeSync(fd);
    } catch {}
  }
}
try {
  closeInherited();
} catch {}

function refill() {
  if (waiting.size >= Number(spares)) return;
  const child = spawn('/bin/sh', ['-c', launcher, 'tritmesh-launcher'], options);
  if (child.pid === undefined) process.exit(1);
  child.stdin.on('error', () => {});
  waiting.set(child.pid, child.stdin);
  child.on('exit', (code, signal) => {
    waiting.delete(child.pid);
    say('ended ' + child.pid + ' ' + (signal ?? '-'));
  });
  say('ready ' + child.pid);
  setImmediate(refill);
}

function say(line) {
  process.stdout.write(line + '\\n');
}

function hear(line) {
  const [, word, pid, directory] = /^(go|drop) (\\d+) ?(.*)$/.exec(line) ?? [];
  const stdin = waiting.get(Number(pid));
  if (stdin === undefined) return;
  waiting.delete(Number(pid));
  if (word === 'go') stdin.write(directory + '\\n');
  stdin.end();
  setTimeout(refill, 2);
}

let heard = '';
const leave = () => process.exit(0);
process.stdout.on('error', leave);
process.stdin.setEncoding('utf8').on('end', leave).on('error', leave);
process.stdin.on('data', (text) => {
  const lines = (heard + text).split('\\n');
  heard = lines.pop();
  lines.forEach(hear);
});
refill();
`;
