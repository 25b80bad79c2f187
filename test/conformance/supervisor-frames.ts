/** Frames that come in pieces, are too long, or make no sense. */
import { describe, expect, it } from 'vitest';
import { FRAME_BYTES_LIMIT, formatStart } from '../../src/run/supervisor/frames.js';
import type { SupervisorSuite } from '../support/supervised.js';

const frame = (...fields: readonly (string | number)[]): string => {
  const payload = fields.map((field) => `${field}\0`).join('');
  return `${payload.length}\n${payload}`;
};

const GARBLED: Readonly<Record<string, string>> = {
  'no length': 'hello\n',
  'an empty length': '\n',
  'a length of eight digits': '12345678\n',
  'a length that never ends': '9'.repeat(64),
  'a length with a sign': '-5\nabcde',
  'one byte more than may be': `${FRAME_BYTES_LIMIT + 1}\n`,
  'an empty frame': '0\n',
  'a word that is not known': frame('stop', 1),
  'a last field without its end': ['9\nlease', '1', '2'].join('\0'),
  'a lease without a number': frame('lease', 1, 'x', 0),
  'more arguments than there are': frame('start', 9, 1000, '-', 'plain', '/tmp', '', 3, 'true', 'A=b'),
  'a start without arguments': frame('start', 9, 1000, '-', 'plain', '/tmp', '', 0, 'A=b'),
  'a mode that is not known': frame('start', 9, 1000, '-', 'other', '/tmp', '', 1, 'true'),
  'a limit below zero': frame('start', 9, 1000, -1, 'plain', '/tmp', '', 1, 'true'),
};

/** Tests what a supervisor reads. */
export function testFrames({ open }: SupervisorSuite): void {
  describe('a frame', () => {
    it.each(Object.entries(GARBLED))('with %s ends the conversation, after what came before', async (_, text) => {
      const { start, input, gone, log } = await open();
      const before = start('exit 6');
      input.write(text);
      input.write(frame('start', 77, 1000, '-', 'plain', before.directory, '', 1, 'true'));
      expect(await gone).toBe(0);
      expect(before.record()?.end).toMatchObject({ code: 6 });
      expect(
        log()
          .filter(({ word }) => word === 'begin' || word === 'orphan')
          .map(({ word }) => word),
      ).toEqual(['begin', 'orphan']);
    });

    it('may come in single bytes', async () => {
      const { start, input } = await open();
      const whole = start('exit 1');
      await whole.ended();
      const { directory } = whole;
      const bytes = formatStart({
        id: 50,
        leaseMs: 600_000,
        limitMs: Infinity,
        mode: 'plain',
        directory,
        stdin: '',
        argv: ['sh', '-c', 'echo pieces'],
        environment: { PATH: process.env['PATH'] ?? '' },
      });
      for (const byte of bytes) await new Promise((resolve) => input.write(Buffer.from([byte]), resolve));
      const next = start('exit 4');
      expect((await next.ended()).code).toBe(4);
      await whole.said('pieces');
    });

    it('may have 4 MiB', async () => {
      const { start } = await open();
      const environment = { PATH: process.env['PATH'] ?? '', FILL: 'x'.repeat(FRAME_BYTES_LIMIT - 2000) };
      expect(await start({ argv: ['true'], environment }).failed()).toBe('exec E2BIG');
      expect((await start('exit 3').ended()).code).toBe(3);
    });
  });
}
