/** Rendering for people: tables, blocks for narrow terminals, sentences, and no control characters from others. */
import { explain } from '../../src/protocol/reasons.js';
import { describe, expect, it } from 'vitest';
import { describeEvent } from '../../src/cli/render/event.js';
import { renderItems } from '../../src/cli/render/items.js';
import { renderReceivers, renderScum, renderStatus } from '../../src/cli/render/mesh.js';
import { describeEnd, exitCodeOf } from '../../src/cli/render/run.js';
import { renderTable } from '../../src/cli/render/table.js';
import { renderWaiting } from '../../src/cli/render/waiting.js';
import { formatAge, formatByteCount, formatRun, showText } from '../../src/cli/render/format.js';
import type { ItemSeen, MemberSeen, MeshSnapshot } from '../../src/observe/mesh-model.js';
import type { State, Trit } from '../../src/protocol/messages.js';
import { describeExitCode, type Status } from '../../src/protocol/status.js';

const WIDE = 200;
/** Two hours after the messages below. */
const LOOK = { width: WIDE, all: false, wall: Date.parse('2026-01-01T02:00:00.000Z') };
const STAMP = { v: 1, ts: '2026-01-01T00:00:00.000Z', boot: 1, seq: 1 } as const;

describe('a table', () => {
  const columns = [{ head: 'name' }, { head: 'count', right: true }];
  const rows = [
    ['alpha', '7'],
    ['b', '1234567'],
  ];

  it('lines up its columns, numbers to the right', () => {
    expect(renderTable(columns, rows, WIDE).split('\n')).toEqual([
      'name     count',
      'alpha        7',
      'b      1234567',
    ]);
  });

  it('becomes blocks of lines where the terminal is narrow', () => {
    expect(renderTable(columns, rows, 10)).toBe('name   alpha\ncount  7\n\nname   b\ncount  1234567');
  });
});

describe('the status', () => {
  it('shows each node, the sum and why work waits', () => {
    const text = renderStatus(
      snapshot({
        members: [
          member('alpha', 1, { draining: true }),
          member('beta', -1, {}),
          { ...member('gamma', 0, {}), online: false },
          { ...member('omega', 0, {}), online: false, gone: true, last_seen: '2025-12-25T00:00:00.000Z' },
        ],
        items: [item({ blocked: [{ node: 'beta', reason: 'arch is arm64, x64 is needed' }] })],
      }),
      LOOK,
    );
    expect(text).toBe(
      [
        'node   trit      ratio  cpus  free  guests  queued  scum  flags',
        'alpha  +1 PLUS    0.50     4   3/4       1       2     5  draining',
        'beta   -1 MINUS   0.50     4   3/4       1       2     5',
        'gamma                                                     offline, last seen 2h ago',
        '',
        'sum +1, residue 1 (invariant does not hold), direction shed: PLUS nodes offer waiting and movable work',
        '2 online: 1 PLUS, 0 ERGODIC, 1 MINUS',
        '',
        'alpha/k1 (gzip) is queued: no receiver: see why each node does not take it',
        '  beta: arch is arm64, x64 is needed',
        '1 gone node not shown (--all shows them)',
        '',
      ].join('\n'),
    );
  });

  it('shows with --all the nodes that are gone, and their items', () => {
    const gone = { ...member('omega', 0, {}), online: false, gone: true, last_seen: '2025-12-25T00:00:00.000Z' };
    const shown = snapshot({
      members: [gone],
      items: [item({ owner: 'omega', owner_online: false, owner_gone: true })],
    });
    expect(renderStatus(shown, LOOK)).not.toContain('omega');
    const text = renderStatus(shown, { ...LOOK, all: true });
    expect(text).toMatch(/omega +gone, last seen 7d ago/);
    expect(text).toContain('omega/k1 (gzip) is queued');
    expect(text).toContain('last report of omega, which is offline');
  });

  it('flags a node whose state is old although it is online', () => {
    const stale = { ...member('alpha', 0, {}), last_seen: '2025-12-31T00:00:00.000Z' };
    expect(renderStatus(snapshot({ members: [stale] }), LOOK)).toContain('its clock is wrong, or it is gone');
  });

  it('shows ten reasons, and how many items wait for others', () => {
    const items = Array.from({ length: 14 }, (_one, at) => item({ item: `k${at}`, reason: `reason ${at}` }));
    const text = renderStatus(snapshot({ members: [member('alpha', 0, {})], items }), LOOK);
    expect(text.match(/is queued/g)).toHaveLength(10);
    expect(text).toContain('and 4 more wait for other reasons: "tritmesh items" shows them all');
  });

  it('shows that more items wait than are on the bus', () => {
    const items = Array.from({ length: 100 }, (_one, at) => item({ item: `k${at}` }));
    const members = [member('alpha', 0, { queued: 140, deferred: 10 })];
    expect(renderStatus(snapshot({ members, items }), LOOK)).toContain('alpha has 50 more waiting items than it keeps');
    expect(renderStatus(snapshot({ members, items: items.slice(1) }), LOOK)).not.toContain('more waiting');
  });

  it('shows what to do when there is no node', () => {
    expect(renderStatus(snapshot({}), LOOK)).toContain('start one with "tritmesh node"');
  });
});

describe('the receivers', () => {
  it('are the three best, and each other node has its reason', () => {
    const ranking = {
      ranked: ['a', 'b', 'c', 'd'],
      full: [],
      blocked: new Map([
        ['e', explain('draining')],
        ['z', explain('offline')],
      ]),
    };
    const gone = { ...member('z', 0, {}), online: false, gone: true };
    const lines = renderReceivers(ranking, [member('a', -1, {}), gone], LOOK)
      .trimEnd()
      .split('\n');
    expect(lines).toEqual([
      'rank  node  ratio  why',
      '   1  a      0.40  receives',
      '   2  b            receives',
      '   3  c            receives',
      '      d            more loaded',
      '      e            it is draining',
      '1 gone node not shown (--all shows them)',
    ]);
  });
});

describe('the heavy processes', () => {
  it('are listed with the action of the node', () => {
    const scum = {
      count: 3,
      items: [
        {
          pid: 42,
          name: 'burner',
          score: 0.612,
          cpu_percent: 99.6,
          memory_percent: 1.25,
          age_s: 7200,
          action: 'migrate',
          movable: false,
        },
        {
          pid: 43,
          name: 'ffmpeg',
          score: 0.5,
          cpu_percent: 80,
          memory_percent: 2,
          age_s: 30,
          action: 'migrate',
          movable: true,
          item: 'k1',
        },
      ],
    } as const;
    const lines = renderScum({ ...member('alpha', 1, {}), scum }, WIDE)
      .trimEnd()
      .split('\n');
    expect(lines).toEqual([
      'pid  name    score  cpu %  memory %  age  action                 item',
      ' 42  burner   0.61    100       1.3   2h  migrate (not movable)',
      ' 43  ffmpeg   0.50     80       2.0  30s  migrate                k1',
      'and 1 more',
    ]);
  });
});

describe('the items', () => {
  it('leave out the ended ones, with a note', () => {
    const text = renderItems(
      [item({ phase: 'done', exit_code: 0 }), item({ item: 'k2', phase: 'running', receiver: 'beta' })],
      false,
      WIDE,
    );
    expect(text).toContain('k2');
    expect(text).not.toContain('k1');
    expect(text).toContain('1 ended item not shown (--all shows them)');
  });

  it('show the exit code of one whose command failed', () => {
    expect(renderItems([item({ phase: 'done', exit_code: 3, run_ms: 1500 })], true, WIDE)).toMatch(/done 3 +1\.5 s/);
  });

  it('of an offline owner are not shown as running', () => {
    const away = item({ phase: 'running', receiver: 'beta', owner_online: false });
    expect(renderItems([away], false, WIDE)).toContain('running, owner offline');
    const gone = { ...away, owner_gone: true };
    expect(renderItems([gone], false, WIDE)).toBe(
      'no items\n1 item whose owner is gone not shown (--all shows them)\n',
    );
    expect(renderItems([gone, gone], true, WIDE)).toContain('running, owner gone');
    expect(renderItems([item({ ...away, phase: 'done', exit_code: 0 })], true, WIDE)).toMatch(/done +beta/);
  });

  it('that wait for the same reason share one entry', () => {
    const blocked = ['beta', 'gamma'].map((node) => ({ node, reason: 'offline' }));
    const items = Array.from({ length: 150 }, (_one, at) => item({ item: `k${at}`, blocked }));
    expect(renderWaiting([...items, item({ item: 'x1', owner: 'beta', phase: 'lost', reason: 'lease' })])).toBe(
      [
        '150 items of alpha are queued: no receiver: see why each node does not take it',
        '  k0 (gzip), k1 (gzip), k2 (gzip) and 147 more',
        '  beta, gamma: offline',
        'beta/x1 (gzip) is lost: lease',
        '',
      ].join('\n'),
    );
  });

  it('show no control characters from others', () => {
    expect(renderWaiting([item({ name: '\u001b[2Jx', reason: 'a\nb' })])).toBe('alpha/k1 (?[2Jx) is queued: a?b\n');
  });
});

describe('an event', () => {
  it.each<[string, Parameters<typeof describeEvent>[0]]>([
    ['beta is -1 MINUS', { type: 'word', topic: { kind: 'trit', node: 'beta' }, text: '-1', retained: false }],
    [
      'beta is offline',
      { type: 'word', topic: { kind: 'availability', node: 'beta' }, text: 'offline', retained: false },
    ],
    [
      'alpha is asked to migrate top to beta',
      {
        type: 'request',
        topic: { kind: 'request', node: 'alpha', verb: 'migrate' },
        request: { verb: 'migrate', select: 'top', to: 'beta' },
      },
    ],
    [
      'alpha/k1 assigned to beta, epoch 2, lease 60 s',
      {
        type: 'message',
        kind: 'ack',
        topic: { kind: 'ack', owner: 'alpha', item: 'k1' },
        message: { ...STAMP, epoch: 2, to: 'beta', renewal: 1, lease_ms: 60_000, transport: 'none', urls: [] },
        retained: false,
      },
    ],
    [
      'alpha: item moved: item k1, from beta (asked)',
      {
        type: 'message',
        kind: 'event',
        topic: { kind: 'event', node: 'alpha' },
        message: { ...STAMP, event_type: 'item_moved', item: 'k1', from: 'beta', reason: 'asked' },
        retained: false,
      },
    ],
    [
      'unreadable: x/y: payload is not JSON',
      { type: 'refused', topic: 'x/y', field: 'payload', reason: 'is not JSON' },
    ],
  ])('reads: %s', (line, heard) => {
    expect(describeEvent(heard)).toBe(line);
  });

  it('has no line for a lease that is extended', () => {
    const message = { ...STAMP, epoch: 1, to: 'beta', renewal: 3, order: 'hold' } as const;
    const topic = { kind: 'lease', owner: 'alpha', item: 'k1' } as const;
    expect(describeEvent({ type: 'message', kind: 'lease', topic, message, retained: false })).toBeUndefined();
  });
});

describe('the end of a run', () => {
  it.each<[number, Partial<Status>]>([
    [0, { phase: 'done', exit_code: 0 }],
    [3, { phase: 'done', exit_code: 3 }],
    [1, { phase: 'done', exit_code: null }],
    [130, { phase: 'cancelled', exit_code: 143 }],
    [1, { phase: 'lost' }],
    [1, { phase: 'failed', exit_code: null }],
  ])('exits with %i for %o', (code, change) => {
    expect(exitCodeOf(item(change))).toBe(code);
  });

  it('shows how to continue with a lost item', () => {
    expect(describeEnd('k1', 'gzip', item({ phase: 'lost', reason: 'its lease ended' }))).toBe(
      'k1 is lost: its lease ended; "tritmesh retry k1" starts it again',
    );
  });

  // Owners of all versions send these words.
  it.each(['', 'exit code 3', describeExitCode(3)])(
    'has no sentence when the exit code says it all: "%s"',
    (reason) => {
      expect(describeEnd('k1', 'gzip', item({ phase: 'done', exit_code: 3, reason }))).toBeUndefined();
      expect(describeEnd('k1', 'gzip', item({ phase: 'done', exit_code: 3, signal: 'SIGKILL', reason }))).toMatch(
        /^k1 was terminated by SIGKILL on [^:]+$/,
      );
    },
  );
});

describe('numbers', () => {
  it('have units that people read', () => {
    expect([0, 1023, 1024, 1536 * 1024].map(formatByteCount)).toEqual(['0 B', '1023 B', '1.0 KiB', '1.5 MiB']);
    expect([5, 300, 7200, 200_000].map(formatAge)).toEqual(['5s', '5m', '2h', '2d']);
    expect([5, 1500, 120_000].map(formatRun)).toEqual(['5 ms', '1.5 s', '2m']);
    expect(showText('a\u0007b')).toBe('a?b');
  });
});

function member(id: string, trit: Trit, change: Partial<State>): MemberSeen {
  const state: State = {
    trit,
    load_ratio: 0.5,
    own_ratio: 0.4,
    projected_ratio: 0.4,
    cpus: 4,
    cpu_percent: 10,
    memory_percent: 20,
    slots: 4,
    slots_free: 3,
    guests: 1,
    queued: 2,
    deferred: 0,
    draining: false,
    accepting: true,
    scum: 5,
    rejected: 0,
    ttl_s: 45,
    ...change,
  };
  const last_seen = id === 'gamma' ? '2026-01-01T00:00:00.000Z' : '2026-01-01T02:00:00.000Z';
  return { id, online: true, info: undefined, state, scum: undefined, last_seen, gone: false };
}

function item(change: Partial<ItemSeen>): ItemSeen {
  return {
    owner: 'alpha',
    owner_online: true,
    owner_gone: false,
    item: 'k1',
    phase: 'queued',
    name: 'gzip',
    epoch: 1,
    receiver: null,
    reason: 'no receiver: see why each node does not take it',
    attempts: 0,
    hops: 0,
    submitted_at: '2026-01-01T00:00:00.000Z',
    exit_code: null,
    signal: null,
    run_ms: null,
    cpu_s: null,
    blocked: [],
    history: [],
    ...change,
  };
}

function snapshot(change: Partial<MeshSnapshot>): MeshSnapshot {
  return {
    members: [],
    sum: { sum: 1, residue: 1, invariant: false, direction: 'shed', online: 2, plus: 1, ergodic: 0, minus: 1 },
    receivers: { ranked: [], full: [], blocked: new Map() },
    items: [],
    reported: undefined,
    refused: 0,
    ...change,
  };
}
