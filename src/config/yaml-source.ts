/** Settings from a yaml file, each with its line number. It only parses text; the loader reads the file. */
import { isMap, isNode, isScalar, LineCounter, parseDocument, type Pair, type Document, type YAMLMap } from 'yaml';
import { describeError } from '../os/errors.js';
import { ConfigError } from './config-error.js';
import { CONFIG_KEYS, findKey, isGroup } from './keys.js';
import { createSetting, describeUnknownName, type PathRoots, type Setting } from './setting.js';
import { measureDepth } from './yaml-depth.js';

/** Far above what valid files need: no key is nested deeper than two levels. */
const DEPTH_MAX = 32;

/**
 * Parses the settings of a yaml file. A key without a value counts as not given.
 *
 * @throws ConfigError for invalid yaml and for an unknown key
 */
export function readYaml(text: string, file: string, roots: PathRoots): readonly Setting[] {
  if (measureDepth(text) > DEPTH_MAX) {
    throw describeBroken(file, `must be valid yaml, nested no deeper than ${DEPTH_MAX} levels`);
  }
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines });
  const [error] = document.errors;
  if (error !== undefined) {
    const [first = ''] = error.message.split('\n');
    throw describeBroken(
      `${file}:${lines.linePos(error.pos[0]).line}`,
      `must be valid yaml: ${first.replace(/:$/, '')}`,
    );
  }
  if (document.contents === null || (isScalar(document.contents) && document.contents.value === null)) return [];
  if (!isMap(document.contents)) throw describeBroken(file, 'must consist of keys and values');
  const source: Source = { document, lines, file, roots };
  return readGroup(source, document.contents, '');
}

interface Source {
  readonly document: Document.Parsed;
  readonly lines: LineCounter;
  readonly file: string;
  readonly roots: PathRoots;
}

function readGroup(source: Source, group: YAMLMap, prefix: string): readonly Setting[] {
  return group.items.flatMap((pair) => readPair(source, pair, prefix));
}

function readPair(source: Source, pair: Pair, prefix: string): readonly Setting[] {
  const name = prefix + String(pair.key);
  const origin = `${source.file}:${findLine(source, pair.key)}`;
  if (isMap(pair.value) && isGroup(name)) return readGroup(source, pair.value, `${name}.`);
  const key = findKey(name);
  if (key === undefined) throw describeMisplaced(name, origin);
  const value = readValue(source, name, origin, pair.value);
  return value === null || value === undefined ? [] : [createSetting(key, value, origin, source.roots)];
}

function describeMisplaced(name: string, origin: string): ConfigError {
  if (isGroup(name)) return new ConfigError({ field: name, value: '', expected: 'must have keys below it', origin });
  return describeUnknownName(
    name,
    origin,
    CONFIG_KEYS.map(({ key }) => key),
  );
}

function readValue({ document }: Source, field: string, origin: string, node: unknown): unknown {
  if (!isNode(node)) return node;
  try {
    return node.toJS(document) as unknown;
  } catch (error) {
    // Aliases of aliases that would expand beyond all memory.
    const reason = describeError(error);
    throw new ConfigError({ field, value: '', expected: `must be valid yaml: ${reason}`, origin });
  }
}

function findLine({ lines }: Source, node: unknown): number {
  const offset = isScalar(node) ? node.range?.[0] : undefined;
  return lines.linePos(offset ?? 0).line;
}

function describeBroken(origin: string, expected: string): ConfigError {
  return new ConfigError({ field: 'configuration file', value: '', expected, origin });
}
