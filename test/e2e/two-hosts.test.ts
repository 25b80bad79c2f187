/** Tests the hosts themselves: other tests rely on their being as separate, and as connected, as two machines. */
import { once } from 'node:events';
import { existsSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { canMakeHosts, openTwoHosts, PLACE, type Host, type TwoHosts } from '../support/two-hosts.js';

describe.skipIf(!canMakeHosts)('two hosts', () => {
  let two: TwoHosts;
  beforeEach(async () => {
    two = await openTwoHosts();
  });
  afterEach(() => two.end());

  it('have their own names, disks and processes', async () => {
    const [one, other] = two.hosts;
    expect(one.run('hostname').trim()).toBe('one');
    expect(other.run('hostname').trim()).toBe('two');
    writeFileSync(one.path(join(PLACE, 'file')), '');
    expect(one.run('ls', PLACE).trim()).toBe('file');
    expect(other.run('ls', PLACE)).toBe('');
    expect(existsSync(join(PLACE, 'file'))).toBe(false);
    const pid = await one.start('sleep', ['600'], join(PLACE, 'output'));
    await expect.poll(() => one.run('cat', `/proc/${pid}/comm`).trim()).toBe('sleep');
    expect(() => other.run('cat', `/proc/${pid}/comm`)).toThrow();
  });

  it('reach each other and the test, until the cable is pulled', async () => {
    const [one, other] = two.hosts;
    const server = createServer().listen(0, two.here);
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    // Nothing listens on port 9: a refusal is an answer, too.
    const reaches = (from: Host, address: string, at: number = 9): boolean => {
      const attempt = `exec 3<>/dev/tcp/${address}/${at}`;
      const text = `said=$(timeout 2 bash -c '${attempt}' 2>&1) || case $said in *refused*) ;; *) exit 1 ;; esac`;
      try {
        from.run('bash', '-c', text);
        return true;
      } catch {
        return false;
      }
    };
    expect([reaches(one, other.address), reaches(other, one.address), reaches(one, two.here, port)]).toEqual([
      true,
      true,
      true,
    ]);
    one.link('down');
    expect([reaches(one, other.address), reaches(other, two.here, port)]).toEqual([false, true]);
    one.link('up');
    expect(reaches(other, one.address)).toBe(true);
    server.close();
  });

  it('end with everything on them', async () => {
    const [one] = two.hosts;
    await one.start('sleep', ['600'], join(PLACE, 'output'));
    const { init } = one;
    await two.end();
    expect(existsSync(`/proc/${init}/root${PLACE}`)).toBe(false);
  });
});
