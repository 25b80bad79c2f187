/**
 * The loader as users see it: which source wins, what each message says. Files are in memory except in the last test.
 */
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ConfigError } from '../../src/config/config-error.js';
import { CONFIG_KEYS } from '../../src/config/keys.js';
import { findUserOrigin, loadConfig, type ConfigInput, type LoadedConfig } from '../../src/config/load-config.js';
import type { Machine } from '../../src/config/machine.js';

const MACHINE: Machine = { hostname: 'Alpha.Home.arpa', cpus: 4, isRoot: false, home: '/home/me' };
const DEFAULT_FILE = '/home/me/.config/tritmesh/config.yaml';
const JOINED_FILE = '/home/me/.local/state/tritmesh/joined.yaml';

interface Given extends Omit<ConfigInput, 'files'> {
  /** Text of files by path. */
  readonly files?: Readonly<Record<string, string>>;
}

function load({ files = {}, ...input }: Given = {}): Promise<LoadedConfig> {
  return loadConfig({
    flags: {},
    env: {},
    machine: MACHINE,
    directory: '/here',
    ...input,
    files: (path) => files[path],
  });
}

async function fail(given: Given): Promise<ConfigError> {
  const error = await load(given).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof ConfigError)) throw new Error(`expected a ConfigError, got ${String(error)}`);
  return error;
}

/** The value at a dotted key. */
function at(config: unknown, key: string): unknown {
  return key.split('.').reduce((value, name) => (value as Record<string, unknown> | undefined)?.[name], config);
}

describe('the defaults', () => {
  it('the defaults are the documented ones', async () => {
    const { config } = await load();
    expect(config).toEqual({
      broker: 'mqtt://127.0.0.1:1883',
      id: 'alpha',
      base: 'tritmesh',
      state_dir: '/home/me/.local/state/tritmesh',
      labels: [],
      slots: 4,
      cpus: 4,
      sense: { metric: 'ewma', load_every_ms: 2000, processes_every_ms: 10_000 },
      trit: {
        plus_above: 0.8,
        plus_leave_below: 0.65,
        minus_below: 0.3,
        minus_leave_above: 0.45,
        plus_hold_ms: 5000,
        minus_hold_ms: 10_000,
        ergodic_hold_ms: 5000,
        hysteresis: true,
      },
      scum: {
        formula: 'clamped',
        throttle: 'managed',
        migrate: 'managed',
        rules: [],
        share_percent: 50,
        throttle_methods: ['cgroup-v2', 'cgroup-v1', 'autogroup', 'duty-cycle'],
        vacate_after_ms: 60_000,
      },
      rebalance: 'pairs',
      lease: { lease_ms: 60_000, margin_ms: 15_000 },
      offers: { ttl_ms: 10_000, repeat_ms: 1000, claim_step_ms: 40, claim_window_ms: 120, claim_hold_ms: 3000 },
      moves: { projected_max: 0.65, gain_min: 0.1, cooldown_ms: 60_000, item_rest_ms: 600_000 },
      journal: { sync: false },
      transfer: { listen: '::', port: 0, advertise: [] },
      disk: { reserve: 'auto' },
      limits: { output: '10%' },
      accept: 'commands',
      accept_from: ['*'],
      requests: { unsigned: ['ping', 'refresh', 'drain', 'cancel', 'retry', 'migrate', 'item', 'items', 'fetch'] },
      state: { every_ms: 15_000, offline_after_ms: 3000 },
      retry: { attempts: 3 },
      keep_settled_ms: 86_400_000,
      status_kept_ms: 600_000,
      log_level: 'info',
    });
  });

  it('a key that nobody set has the origin "default"', async () => {
    const { config, origins } = await load();
    for (const { key } of CONFIG_KEYS) expect(origins[key]).toBe(at(config, key) === undefined ? undefined : 'default');
  });

  it.each([
    { hostname: 'Alpha.Home.arpa', id: 'alpha' },
    { hostname: 'My_Box 3', id: 'my-box-3' },
    { hostname: 'a'.repeat(40), id: 'a'.repeat(32) },
    { hostname: '', id: 'node' },
    { hostname: '日本', id: 'node' },
    { hostname: '.local', id: 'node' },
  ])('the host name "$hostname" yields the id $id', async ({ hostname, id }) => {
    expect((await load({ machine: { ...MACHINE, hostname } })).config.id).toBe(id);
  });

  it.each([
    { what: 'of root', machine: { ...MACHINE, isRoot: true }, env: {}, directory: '/var/lib/tritmesh' },
    { what: 'with an XDG variable', machine: MACHINE, env: { XDG_STATE_HOME: '/xdg' }, directory: '/xdg/tritmesh' },
    {
      what: 'with an empty XDG variable',
      machine: MACHINE,
      env: { XDG_STATE_HOME: '' },
      directory: '/home/me/.local/state/tritmesh',
    },
  ])('the state directory $what is $directory', async ({ machine, env, directory }) => {
    expect((await load({ machine, env })).config.state_dir).toBe(directory);
  });

  it.each([
    { flags: { cpus: '2.5' }, slots: 2, origin: 'default (cpus from --cpus)' },
    { flags: { cpus: '0.5' }, slots: 1, origin: 'default (cpus from --cpus)' },
    { flags: { cpus: '8', slots: '3' }, slots: 3, origin: '--slots' },
  ])('the flags $flags result in $slots slots', async ({ flags, slots, origin }) => {
    const { config, origins } = await load({ flags });
    expect([config.slots, origins['slots']]).toEqual([slots, origin]);
  });
});

describe('the record of which node the state directory belongs to', () => {
  const RECORD_FILE = '/home/me/.local/state/tritmesh/identity/node.json';
  const record = (change: object = {}): Readonly<Record<string, string>> => ({
    [RECORD_FILE]: JSON.stringify({ format: 1, id: 'recorded', base: 'home/mesh', ...change }),
  });

  it('the record overrides the host name and what join wrote, and sets the user name too', async () => {
    const files = { ...record(), [JOINED_FILE]: 'id: joined\nbase: joined\n' };
    const loaded = await load({ env: { TRITMESH_PASSWORD: 'x' }, files });
    expect(loaded.config).toMatchObject({ id: 'recorded', base: 'home/mesh', username: 'recorded' });
    expect(loaded.origins).toMatchObject({ id: RECORD_FILE, base: RECORD_FILE });
    expect(loaded.record).toMatchObject({ id: 'recorded' });
    expect([findUserOrigin(loaded, 'id'), findUserOrigin(loaded, 'base')]).toEqual([undefined, undefined]);
  });

  it.each([
    { what: 'a flag', given: { flags: { id: 'said' } }, origin: '--id' },
    { what: 'a variable', given: { env: { TRITMESH_ID: 'said' } }, origin: 'TRITMESH_ID' },
    { what: 'the file', given: { files: { [DEFAULT_FILE]: 'id: said' } }, origin: `${DEFAULT_FILE}:1` },
  ])('the record is overridden by $what', async ({ given, origin }) => {
    const loaded = await load({ ...given, files: { ...record(), ...('files' in given ? given.files : {}) } });
    expect([loaded.config.id, findUserOrigin(loaded, 'id')]).toEqual(['said', origin]);
    expect(loaded.record?.id).toBe('recorded');
  });

  it('a damaged record is reported with what to do', async () => {
    const error = await fail({ files: { [RECORD_FILE]: '{' } });
    expect(error.message).toBe(
      `id (${RECORD_FILE}): the record must be JSON; remove the file, the node writes a new one when it starts`,
    );
  });

  it('a record of another user is an error unless the node is named', async () => {
    const files = (path: string): string | undefined => {
      if (path.startsWith('/home/me/.local')) throw new Error('EACCES: permission denied');
      return undefined;
    };
    const input = { machine: MACHINE, env: {}, files };
    await expect(loadConfig({ ...input, flags: { broker: 'mqtt://there' } })).rejects.toThrow(
      /identity\/node\.json\): cannot be read: EACCES.*as the user that runs the node, or name the node with --id/,
    );
    await expect(loadConfig({ ...input, flags: { id: 'a' } })).rejects.toThrow(/joined\.yaml .*cannot be read/);
    const { config } = await loadConfig({ ...input, flags: { broker: 'mqtt://there', id: 'a' } });
    expect(config).toMatchObject({ id: 'a', broker: 'mqtt://there' });
  });
});

describe('sources', () => {
  const flags = { id: 'by-flag' };
  const env = { TRITMESH_ID: 'by-variable' };
  const file = { [DEFAULT_FILE]: '# mine\nid: by-file\n' };
  const joined = { [JOINED_FILE]: 'broker: mqtt://there\nid: by-join\n' };

  it.each([
    { given: { flags, env, files: { ...file, ...joined } }, id: 'by-flag', origin: '--id' },
    { given: { env, files: { ...file, ...joined } }, id: 'by-variable', origin: 'TRITMESH_ID' },
    { given: { files: { ...file, ...joined } }, id: 'by-file', origin: `${DEFAULT_FILE}:2` },
    { given: { files: joined }, id: 'by-join', origin: `${JOINED_FILE}:2` },
    { given: {}, id: 'alpha', origin: 'default' },
  ])('the source with the highest priority wins: $id', async ({ given, id, origin }) => {
    const { config, origins } = await load(given);
    expect([config.id, origins['id']]).toEqual([id, origin]);
  });

  it.each([
    { what: '--config', given: { flags: { config: 'my.yaml' } }, file: '/here/my.yaml' },
    { what: 'TRITMESH_CONFIG', given: { env: { TRITMESH_CONFIG: '/etc/t.yaml' } }, file: '/etc/t.yaml' },
    { what: 'XDG_CONFIG_HOME', given: { env: { XDG_CONFIG_HOME: '/xdg' } }, file: '/xdg/tritmesh/config.yaml' },
  ])('the configuration file is the one that $what names', async ({ given, file: path }) => {
    const { config } = await load({ ...given, files: { [path]: 'base: home/mesh', [DEFAULT_FILE]: 'base: no' } });
    expect(config.base).toBe('home/mesh');
  });

  it('what join wrote is looked up in the state directory that is in force', async () => {
    const files = { '/data/joined.yaml': 'broker: wss://there/mqtt' };
    const { config, origins } = await load({ flags: { stateDir: '/data' }, files });
    expect([config.broker, origins['broker']]).toEqual(['wss://there/mqtt', '/data/joined.yaml:1']);
  });

  it.each([
    { key: 'broker', text: 'mqtts://there:8883', value: 'mqtts://there:8883' },
    { key: 'username', text: 'me', value: 'me' },
    { key: 'base', text: 'home/mesh', value: 'home/mesh' },
    { key: 'ca_file', text: 'ca.pem', value: '/here/ca.pem' },
    { key: 'state_dir', text: '~/mesh', value: '/home/me/mesh' },
    { key: 'labels', text: 'gpu, fast,', value: ['gpu', 'fast'] },
    { key: 'slots', text: '7', value: 7 },
    { key: 'sense.metric', text: 'fixed:0.9', value: 'fixed:0.9' },
    { key: 'sense.load_every_ms', text: '500', value: 500 },
    { key: 'trit.plus_above', text: '0.9', value: 0.9 },
    { key: 'trit.hysteresis', text: 'off', value: false },
    { key: 'scum.formula', text: 'seed', value: 'seed' },
    { key: 'scum.throttle', text: 'opt-in', value: 'opt-in' },
    {
      key: 'scum.rules',
      text: 'throttle:name=a*,any:user=b&cgroup=/c',
      value: ['throttle:name=a*', 'any:user=b&cgroup=/c'],
    },
    { key: 'scum.throttle_methods', text: 'duty-cycle', value: ['duty-cycle'] },
    { key: 'rebalance', text: 'gf3', value: 'gf3' },
    { key: 'journal.sync', text: 'YES', value: true },
    { key: 'transfer.advertise', text: 'alpha.lan,[fd00::1]:4711', value: ['alpha.lan', '[fd00::1]:4711'] },
    { key: 'accept', text: 'nothing', value: 'nothing' },
    { key: 'accept_from', text: 'beta,gamma', value: ['beta', 'gamma'] },
    { key: 'requests.unsigned', text: 'ping', value: ['ping'] },
    { key: 'log_level', text: 'debug', value: 'debug' },
  ])('the key $key can be set as flag, variable and yaml', async ({ key, text, value }) => {
    const names = CONFIG_KEYS.find((one) => one.key === key);
    const [group = '', inner] = key.split('.');
    const yaml = inner === undefined ? `${group}: ${text}` : `${group}:\n  ${inner}: ${text}`;
    const sources: readonly Given[] = [
      { flags: { [names?.flag ?? '']: text } },
      { env: { [names?.variable ?? '']: text } },
      { flags: { config: 'here.yaml' }, files: { '/here/here.yaml': yaml } },
    ];
    for (const source of sources) expect(at((await load(source)).config, key)).toEqual(value);
  });

  it.each([
    { given: { flags: { sense: 'cgroup' } }, origin: '--sense-metric' },
    { given: { env: { TRITMESH_SENSE: 'cgroup' } }, origin: 'TRITMESH_SENSE' },
    { given: { files: { [DEFAULT_FILE]: 'sense: cgroup' } }, origin: `${DEFAULT_FILE}:1` },
  ])('the group sense accepts the metric as its one value, from $origin', async ({ given, origin }) => {
    const { config, origins } = await load(given);
    expect([config.sense.metric, origins['sense.metric']]).toEqual(['cgroup', origin]);
  });

  it('flags are accepted as commander passes them: camel-case, repeated, typed, or not given', async () => {
    const flags = { stateDir: '/data', labels: ['gpu', 'a,b'], slots: 2, journalSync: true, id: undefined };
    const { config } = await load({ flags });
    expect(config).toMatchObject({ state_dir: '/data', labels: ['gpu', 'a', 'b'], slots: 2, journal: { sync: true } });
    expect(config.id).toBe('alpha');
  });

  it('relative paths in a file are resolved against the directory of that file', async () => {
    const { config } = await load({ files: { [DEFAULT_FILE]: 'ca_file: ca.pem' } });
    expect(config.ca_file).toBe('/home/me/.config/tritmesh/ca.pem');
  });

  it('empty variables, keys without a value and empty files count as not given', async () => {
    const env = { TRITMESH_ID: '', TRITMESH_PASSWORD: '' };
    expect((await load({ env, files: { [DEFAULT_FILE]: 'id:\ntrit:\n  plus_above:\n' } })).config.id).toBe('alpha');
    expect((await load({ files: { [DEFAULT_FILE]: '# nothing\n' } })).config.id).toBe('alpha');
  });

  it.each([
    'TRITMESH_ITEM',
    'TRITMESH_OWNER',
    'TRITMESH_SERVICE_HOST',
    'TRITMESH_PORT',
    'TRITMESH_TEST_REQUIRE',
    'OTHER',
  ])('the unrelated variable %s is ignored', async (name) => {
    expect((await load({ env: { [name]: 'tcp://10.0.0.1:1883' } })).config.id).toBe('alpha');
  });
});

describe('the password', () => {
  const files = { '/secret': 'hush\n', '/here/other': ' spaced \r\n' };

  it.each([
    { what: 'directly', given: { env: { TRITMESH_PASSWORD: 'hush' } }, password: 'hush', origin: 'TRITMESH_PASSWORD' },
    {
      what: 'from its file, without the last line end',
      given: { flags: { 'password-file': '/secret' } },
      password: 'hush',
      origin: 'password_file (--password-file)',
    },
    {
      what: 'from a relative file, with its spaces',
      given: { flags: { 'password-file': 'other' } },
      password: ' spaced ',
      origin: 'password_file (--password-file)',
    },
    {
      what: 'from the source with higher priority, when that has the password',
      given: { flags: { password: 'flagged' }, env: { TRITMESH_PASSWORD_FILE: '/secret' } },
      password: 'flagged',
      origin: '--password',
    },
    {
      what: 'from the source with higher priority, when that has the file',
      given: { flags: { 'password-file': '/secret' }, env: { TRITMESH_PASSWORD: 'weak' } },
      password: 'hush',
      origin: 'password_file (--password-file)',
    },
  ])('the password is taken $what, with the id as user name', async ({ given, password, origin }) => {
    const { config, origins } = await load({ ...given, files });
    expect([config.password, origins['password']]).toEqual([password, origin]);
    expect([config.username, origins['username']]).toEqual(['alpha', 'default (id)']);
  });

  it('a given user name is kept, and without a password there is none', async () => {
    expect((await load({ flags: { password: 'x', username: 'me' } })).config.username).toBe('me');
    expect((await load()).config.username).toBeUndefined();
  });
});

describe('errors', () => {
  it.each([
    { flags: { broker: 'there' }, field: 'broker', value: '"there"', expected: /must be a URL such as mqtt:\/\// },
    { flags: { broker: 'http://there' }, field: 'broker', value: '"http://there"', expected: /must be a URL/ },
    { flags: { broker: 'mqtt://me:hush@there' }, field: 'broker', value: '"mqtt://…@there"', expected: /credentials/ },
    { flags: { broker: 'mqtt://there/x' }, field: 'broker', value: '"mqtt://there/x"', expected: /after the port/ },
    { flags: { id: 'Not OK' }, field: 'id', value: '"Not OK"', expected: /1 to 32 lower-case/ },
    { flags: { base: 'a//b' }, field: 'base', value: '"a//b"', expected: /must be levels/ },
    { flags: { slots: 'many' }, field: 'slots', value: '"many"', expected: /whole number from 1/ },
    { flags: { slots: '1.5' }, field: 'slots', value: '1.5', expected: /whole number from 1/ },
    { flags: { cpus: '0' }, field: 'cpus', value: '0', expected: /number from 0.01/ },
    { flags: { sense: 'loud' }, field: 'sense.metric', value: '"loud"', expected: /must be ewma, loadavg1/ },
    { flags: { 'scum-formula': 'x' }, field: 'scum.formula', value: '"x"', expected: /must be clamped or seed/ },
    { flags: { 'scum-rules': 'kill:name=a' }, field: 'scum.rules', value: '["kill:name=a"]', expected: /throttle:/ },
    { flags: { 'scum-migrate': 'on' }, field: 'scum.migrate', value: '"on"', expected: /managed, opt-in/ },
    { flags: { 'journal-sync': 'perhaps' }, field: 'journal.sync', value: '"perhaps"', expected: /true or false/ },
    { flags: { 'lease-lease-ms': '999' }, field: 'lease.lease_ms', value: '999', expected: /from 1000/ },
    { flags: { 'lease-margin-ms': '10' }, field: 'lease.margin_ms', value: '10', expected: /from 1000/ },
    { flags: { 'transfer-port': '70000' }, field: 'transfer.port', value: '70000', expected: /from 0 to 65535/ },
    { flags: { 'disk-reserve': '-1' }, field: 'disk.reserve', value: '"-1"', expected: /auto, a size such as 512M or/ },
    { flags: { 'disk-reserve': '101%' }, field: 'disk.reserve', value: '"101%"', expected: /a share such as 5%/ },
    { flags: { 'limits-output': 'auto' }, field: 'limits.output', value: '"auto"', expected: /a size such as 512M or/ },
    { flags: { 'accept-from': 'beta,?' }, field: 'accept_from', value: '["beta","?"]', expected: /node ids, or \*/ },
    { flags: { 'requests-unsigned': 'run' }, field: 'requests.unsigned', value: '["run"]', expected: /must be ping, / },
    {
      flags: { 'trit-minus-below': '0.9' },
      field: 'trit.minus_below',
      value: '0.9',
      expected: /trit.plus_above \(0.8\)/,
    },
    {
      flags: { 'trit-plus-leave-below': '0.8' },
      field: 'trit.plus_leave_below',
      value: '0.8',
      expected: /below trit.plus_above/,
    },
    {
      flags: { 'trit-minus-leave-above': '0.3' },
      field: 'trit.minus_leave_above',
      value: '0.3',
      expected: /above trit.minus_below/,
    },
    {
      flags: { 'trit-minus-leave-above': '0.7' },
      field: 'trit.minus_leave_above',
      value: '0.7',
      expected: /not be above trit.plus_leave/,
    },
    { flags: { 'offers-repeat-ms': '20000' }, field: 'offers.repeat_ms', value: '20000', expected: /offers.ttl_ms/ },
  ])('an error names field, value, expectation and origin: $flags', async ({ flags, field, value, expected }) => {
    const error = await fail({ flags });
    expect(error).toMatchObject({ field, value, origin: expect.stringMatching(/^--/) });
    expect(error.expected).toMatch(expected);
    for (const fact of [error.field, error.value, error.expected, error.origin]) expect(error.message).toContain(fact);
  });

  it('the trit thresholds are not compared when hysteresis is off', async () => {
    const flags = { 'trit-plus-above': '0.5', 'trit-hysteresis': 'false' };
    expect((await load({ flags })).config.trit.plus_above).toBe(0.5);
  });

  it.each([
    {
      what: 'a flag',
      given: { flags: { slotz: '3' } },
      message: /^slotz \(--slotz\): is not known; did you mean slots\?$/,
    },
    { what: 'a flag without its group', given: { flags: { plusAbove: 1 } }, message: /did you mean trit-plus-above/ },
    {
      what: 'a variable',
      given: { env: { TRITMESH_BROKR: 'x' } },
      message: /^TRITMESH_BROKR.*did you mean TRITMESH_BROKER\?$/,
    },
    {
      what: 'a yaml key',
      given: { files: { [DEFAULT_FILE]: 'id: a\nlabel: [x]' } },
      message: /^label \(.*config.yaml:2\): .*did you mean labels\?$/,
    },
    {
      what: 'an inner yaml key',
      given: { files: { [DEFAULT_FILE]: 'trit:\n  plus_abov: 1' } },
      message: /^trit.plus_abov \(.*:2\): .*mean trit.plus_above/,
    },
    {
      what: 'a yaml key without its group',
      given: { files: { [DEFAULT_FILE]: 'plus_above: 1' } },
      message: /did you mean trit.plus_above/,
    },
    {
      what: 'a name that is near to nothing',
      given: { flags: { zzzzzzzz: 1 } },
      message: /is not known; `tritmesh config` lists all keys/,
    },
    {
      what: 'a name that every object has',
      given: { files: { [DEFAULT_FILE]: 'constructor: 1' } },
      message: /is not known/,
    },
  ])('an unknown name is an error, and may come with a suggestion: $what', async ({ given, message }) => {
    expect((await fail(given)).message).toMatch(message);
  });

  it.each([
    { what: 'invalid yaml', text: 'id: alpha\nbase: [', message: /config.yaml:\d+\): must be valid yaml: / },
    ...['['.repeat(33), '- '.repeat(33), '{a: '.repeat(10_000), '[{a: '.repeat(10_000)].map((open) => ({
      what: `${open.length} characters of nesting`,
      text: open.startsWith('-') ? `${open}x` : `labels: ${open}`,
      message: /config.yaml\): must be valid yaml, nested no deeper than 32 levels/,
    })),
    {
      what: 'a key twice',
      text: 'id: a\nid: b',
      message: /config.yaml:2\): must be valid yaml: Map keys must be unique/,
    },
    { what: 'a list', text: '- id', message: /must consist of keys and values/ },
    { what: 'a value where keys belong', text: 'trit: 3', message: /^trit \(.*:1\): must have keys below it/ },
    { what: 'a number where text belongs', text: 'id: 17', message: /^id 17 \(.*:1\): must be text/ },
    { what: 'keys where a value belongs', text: 'id:\n  x: 1', message: /^id \{"x":1\} \(.*:1\): must be text/ },
  ])('a file with $what is an error', async ({ text, message }) => {
    expect((await fail({ files: { [DEFAULT_FILE]: text } })).message).toMatch(message);
  });

  it.each([
    {
      what: 'a named file that does not exist',
      given: { flags: { config: 'no.yaml' } },
      message: 'configuration file /here/no.yaml (--config): must exist',
    },
    {
      what: 'a password file that does not exist',
      given: { flags: { passwordFile: '/no' } },
      message: 'password_file /no (--password-file): must be an existing file',
    },
    {
      what: 'an empty password file',
      given: { flags: { passwordFile: '/e' }, files: { '/e': '\n' } },
      message: 'password_file /e (--password-file): must not be empty',
    },
    {
      what: 'a password together with a password file',
      given: { env: { TRITMESH_PASSWORD: 'x', TRITMESH_PASSWORD_FILE: '/e' } },
      message: 'password_file (TRITMESH_PASSWORD_FILE): must not be given together with password',
    },
    {
      what: 'a state directory in joined.yaml',
      given: { files: { [JOINED_FILE]: 'state_dir: /x' } },
      message: `state_dir (${JOINED_FILE}:1): cannot be set in a file that is itself in the state directory`,
    },
  ])('$what is an error', async ({ given, message }) => {
    expect((await fail(given)).message).toBe(message);
  });

  it('an error never shows a password', async () => {
    const error = await fail({ files: { [DEFAULT_FILE]: 'password: 12345678' } });
    expect(error).toMatchObject({ field: 'password', value: '' });
    expect(error.message).not.toContain('12345678');
  });
});

describe('real files', () => {
  it('a real file is read, and a directory in its place is an error', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'tritmesh-config-'));
    try {
      const file = join(directory, 'config.yaml');
      await writeFile(file, `state_dir: ${directory}\n`);
      await chmod(file, 0o600);
      const { config, origins } = await loadConfig({ flags: { config: file }, env: {} });
      expect([config.state_dir, origins['state_dir']]).toEqual([directory, `${file}:1`]);
      await expect(loadConfig({ flags: { config: directory }, env: {} })).rejects.toThrow(/cannot be read: EISDIR/);
    } finally {
      await rm(directory, { recursive: true });
    }
  });
});
