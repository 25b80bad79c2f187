/** Which node a command line means: the same as the configuration says, or no answer. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { parse } from 'yaml';
import { findThinNode } from '../../../src/cli/thin/find-node.js';
import { readPlainSettings } from '../../../src/cli/thin/plain-settings.js';
import type { NodeFlags } from '../../../src/cli/thin/read-command.js';
import { loadConfig } from '../../../src/config/load-config.js';
import { temporaryDirectories } from '../../support/temporary-directory.js';

const makeDirectory = temporaryDirectories();
let home: string;

beforeEach(() => {
  home = makeDirectory();
  vi.stubEnv('HOME', home);
});
afterEach(() => vi.unstubAllEnvs());

type Files = Readonly<Record<string, string>>;

const CONFIG = '.config/tritmesh/config.yaml';

describe('the node that is meant', () => {
  it.each<[string, NodeFlags, Record<string, string>, Files]>([
    ['nothing is given', {}, {}, {}],
    ['flags name it', { id: 'a', base: 'b/c', broker: 'mqtt://h:1', stateDir: 'state' }, {}, {}],
    ['variables name it', {}, { TRITMESH_ID: 'a', TRITMESH_BASE: 'b', TRITMESH_BROKER: 'mqtt://h:1' }, {}],
    ['flags and variables differ', { id: 'a' }, { TRITMESH_ID: 'b', TRITMESH_STATE_DIR: 'state' }, {}],
    ['a job has started it', {}, { TRITMESH_ITEM: 'i', TRITMESH_NODE: 'n' }, {}],
    ['a variable is empty', {}, { TRITMESH_ID: '', TRITMESH_LOG_LEVEL: '' }, {}],
    ['the configuration file is plain', { id: 'a' }, {}, { [CONFIG]: '# mesh\nbroker: mqtt://h:1\n\nbase: b\n' }],
    ['it has joined', { stateDir: 'state' }, {}, { 'state/joined.yaml': 'broker: mqtt://h:1883\n' }],
    [
      'the file and join differ',
      { stateDir: 'state' },
      {},
      {
        [CONFIG]: 'broker: mqtt://file:1883\n',
        'state/joined.yaml': 'broker: mqtt://joined:1883\n',
      },
    ],
    ['XDG names the places', {}, { XDG_CONFIG_HOME: '/tmp/none', XDG_STATE_HOME: '/tmp/none' }, {}],
  ])('is that of the configuration: %s', async (_what, flags, env, files) => {
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(join(home, path, '..'), { recursive: true });
      writeFileSync(join(home, path), text);
    }
    const found = findThinNode(flags, { env, directory: home });
    const machine = { hostname: 'here', cpus: 1, isRoot: process.getuid?.() === 0, home };
    const { config } = await loadConfig({ flags: { ...flags }, env, machine, directory: home });
    expect(found).toMatchObject({ stateDir: config.state_dir, broker: config.broker });
    // Without a record there is no node to be found, whose id would be that of the state directory.
    expect([undefined, config.id]).toContain(found?.id);
    expect(found?.base ?? 'tritmesh').toBe(config.base);
  });

  it.each<[string, NodeFlags, Record<string, string>, Files]>([
    ['a variable is another key', {}, { TRITMESH_RETRY_ATTEMPTS: '2' }, {}],
    ['a variable is a typo', {}, { TRITMESH_BROKR: 'mqtt://h' }, {}],
    ['a configuration file is named', {}, { TRITMESH_CONFIG: '/none' }, {}],
    ['the configuration file has other keys', {}, {}, { [CONFIG]: 'retry:\n  attempts: 2\n' }],
    ['the configuration file names the state directory', {}, {}, { [CONFIG]: 'state_dir: /elsewhere\n' }],
    ['the configuration file is broken', {}, {}, { [CONFIG]: 'base: [\n' }],
    ['the configuration file is a directory', {}, {}, { [`${CONFIG}/file`]: '' }],
    ['a file that join saved is missing', { stateDir: 'state' }, {}, { 'state/joined.yaml': 'ca_file: /none/ca\n' }],
    ['the state directory begins with a tilde', { stateDir: '~/state' }, {}, {}],
  ])('is left to the configuration: %s', (_what, flags, env, files) => {
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(join(home, path, '..'), { recursive: true });
      writeFileSync(join(home, path), text);
    }
    expect(findThinNode(flags, { env, directory: home })).toBeUndefined();
  });
});

describe('a plain file', () => {
  it('means the same to the yaml parser', () => {
    const values = fc.oneof(
      fc.string(),
      fc.constantFrom('yes', 'null', '~', '1', '0x1', '.inf', 'a: b', 'a #b', "'a'", 'mqtt://h:1', '/a/b', '<<', 'a:'),
      fc.stringMatching(/^[A-Za-z0-9_./@:#-]{1,12}$/),
    );
    const lines = fc.record({ key: fc.constantFrom('broker', 'base', 'id', 'other'), value: values });
    fc.assert(
      fc.property(fc.array(lines, { maxLength: 3 }), (settings) => {
        const text = settings.map(({ key, value }) => `${key}: ${value}\n`).join('');
        const plain = readPlainSettings(text);
        if (plain !== undefined) expect(Object.fromEntries(plain)).toEqual(parse(text) ?? {});
      }),
      { numRuns: 2000 },
    );
  });

  it('is what join writes', () => {
    const text = 'broker: mqtts://mesh.home:8883\nid: alpha\npassword_file: /etc/tritmesh/password\n';
    expect(readPlainSettings(text)?.get('broker')).toBe('mqtts://mesh.home:8883');
  });
});
