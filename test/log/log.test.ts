import { describe, expect, it } from 'vitest';
import { formatLogLine } from '../../src/log/log-line.js';
import { createLog, type LogSink } from '../../src/log/log.js';

interface TestSink extends LogSink {
  readonly lines: string[];
}

function createTestSink(isTTY: boolean): TestSink {
  const lines: string[] = [];
  return { isTTY, lines, write: (text) => lines.push(text) };
}

describe('the log', () => {
  it('the log writes JSON lines where there is no terminal', async () => {
    const sink = createTestSink(false);
    const log = await createLog('info', sink);
    log.warn('the broker is down', { broker: 'mqtt://there', tries: 3 });
    expect(sink.lines).toHaveLength(1);
    expect(sink.lines[0]?.endsWith('\n')).toBe(true);
    expect(JSON.parse(sink.lines[0] ?? '')).toEqual({
      level: 'warn',
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
      broker: 'mqtt://there',
      tries: 3,
      msg: 'the broker is down',
    });
  });

  it('the log writes readable lines on a terminal', async () => {
    const sink = createTestSink(true);
    const log = await createLog('debug', sink);
    log.debug('looked');
    log.error('cannot write', { item: 'k3f9', error: new Error('disk full') });
    expect(sink.lines).toEqual([
      expect.stringMatching(/^\d\d:\d\d:\d\d debug looked\n$/),
      expect.stringMatching(/^\d\d:\d\d:\d\d error cannot write {2}item=k3f9 error="disk full"\n$/),
    ]);
  });

  it.each([
    { level: 'debug', logged: ['debug', 'info', 'warn', 'error'] },
    { level: 'info', logged: ['info', 'warn', 'error'] },
    { level: 'error', logged: ['error'] },
    { level: 'silent', logged: [] },
  ] as const)('the level $level lets $logged through', async ({ level, logged }) => {
    const sink = createTestSink(false);
    const log = await createLog(level, sink);
    for (const name of ['debug', 'info', 'warn', 'error'] as const) log[name](name);
    expect(sink.lines.map((line) => (JSON.parse(line) as { msg: string }).msg)).toEqual(logged);
  });

  it('an error is logged in JSON with its message and stack', async () => {
    const sink = createTestSink(false);
    (await createLog('info', sink)).error('failed', { error: new RangeError('too far') });
    expect(JSON.parse(sink.lines[0] ?? '')).toMatchObject({
      error: { type: 'RangeError', message: 'too far', stack: expect.stringContaining('RangeError: too far') },
    });
  });
});

describe('a readable line', () => {
  it.each([
    { line: '{"level":"info","time":"2024-05-06T07:08:09.010Z","msg":"up"}\n', text: '07:08:09 info  up\n' },
    { line: '{"level":"info","msg":"up","list":[1,"a b"]}', text: ' info  up  list=[1,"a b"]\n' },
    { line: '{"level":"info","msg":"up","name":"a b","n":1,"no":null}', text: ' info  up  name="a b" n=1 no=null\n' },
    { line: '{"level":"warn","msg":"\\u001b[2J\\u009b31m"}', text: ' warn  \\x1b[2J\\x9b31m\n' },
    { line: '{"level":"warn","msg":"a\\nb","name":"\\u0007"}', text: ' warn  a\\x0ab  name=\\x07\n' },
    { line: 'no json \u001b[0m\n', text: 'no json \\x1b[0m\n' },
  ])('a readable line is made from $line', ({ line, text }) => {
    expect(formatLogLine(line)).toBe(text);
  });
});
