/** Whether tests can mount small disks on this machine. */
import { execFileSync } from 'node:child_process';
import { requirement } from './requirements.js';

/** Whether a tmpfs can be mounted. */
export const canMountDisks: boolean = requirement(
  'root on Linux to mount a small disk',
  process.platform === 'linux' && process.getuid?.() === 0 && canMount(),
  'run the tests as root, in a container with CAP_SYS_ADMIN',
);

function canMount(): boolean {
  try {
    // In a separate mount namespace, so that nothing remains.
    execFileSync('unshare', ['--mount', 'mount', '-t', 'tmpfs', 'tmpfs', '/mnt'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}
