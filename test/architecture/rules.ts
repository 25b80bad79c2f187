/** The rules of the source tree. Each returns a sentence for every place that breaks it. */
import { findFunctions } from './functions.js';
import { findImports, removeComments, type Import, type SourceTree } from './imports.js';
import { ALLOWED_LAYERS, ALLOWED_PACKAGES, findLayer, isMemoryAdapter, type Layer } from './layers.js';
import { readLines } from './source-lines.js';

const LINES_MAX = 250;
const FUNCTION_LINES_MAX = 60;
const COMMENT_CHARS_MAX = 120;
/** The public interface of the library, which may repeat exported names of other files. */
const LIBRARY: ReadonlySet<string> = new Set(['src/index.ts', 'src/compose/library.ts']);
const FORBIDDEN_NAMES: ReadonlySet<string> = new Set([
  'utils',
  'util',
  'helpers',
  'helper',
  'types',
  'manager',
  'common',
  'misc',
  'index',
]);
/** What a pure step must not use: clocks, randomness, timers, the process. */
const IMPURE =
  /\bDate\.now\b|\bnew Date\(\)|\bMath\.random\b|\bset(?:Timeout|Interval|Immediate)\b|\bqueueMicrotask\b|\bperformance\.|\bprocess\.(?:env|argv|hrtime|uptime|nextTick|std\w+|exit|cwd|kill|platform)\b|\bconsole\./;

/** All violations in a tree, sorted by rule, then by path. */
export function findFaults(tree: SourceTree): readonly string[] {
  if (tree.size === 0) return ['no source file was seen'];
  const imports = [...tree].flatMap(([path, source]) => findImports(path, source));
  return [
    ...imports.flatMap((one) => findImportFault(tree, one)),
    ...findCycles(tree, imports),
    ...findAlikeNames(tree),
    ...[...tree].flatMap(([path, source]) => findFileFaults(path, source)),
  ];
}

function findImportFault(tree: SourceTree, one: Import): readonly string[] {
  const from = findLayer(one.from);
  if (from === undefined) return [];
  if (one.file === undefined) return findPackageFault(from, one);
  if (!tree.has(one.file)) return [`${one.from} imports ${one.specifier}, which is not there`];
  const to = findLayer(one.file);
  if (to === undefined || isAllowed(from, to, one)) return [];
  return [`${one.from} (${from}) must not import ${one.file} (${to})`];
}

function isAllowed(from: Layer, to: Layer, one: Import): boolean {
  const allowed = ALLOWED_LAYERS[from];
  if (allowed === 'any' || allowed.includes(to)) return true;
  if (from === 'adapter' && to === 'adapter') return folderOf(one.from) === folderOf(one.file ?? '');
  if (from === 'sim' && to === 'adapter') return isMemoryAdapter(one.file ?? '');
  return from === to;
}

function folderOf(path: string): string {
  return path.split('/').slice(0, 2).join('/');
}

function findPackageFault(from: Layer, { from: path, specifier }: Import): readonly string[] {
  const allowed = ALLOWED_PACKAGES[from];
  if (allowed === undefined) return [];
  const isKnown = allowed.some((name) => specifier === name || specifier.startsWith(`${name}/`));
  return isKnown ? [] : [`${path} (${from}) must not import ${specifier}`];
}

/** Each import cycle once, types included. */
function findCycles(tree: SourceTree, imports: readonly Import[]): readonly string[] {
  const targets = new Map<string, Set<string>>();
  for (const { from, file } of imports) {
    if (file !== undefined && tree.has(file)) targets.set(from, (targets.get(from) ?? new Set<string>()).add(file));
  }
  const finished = new Set<string>();
  const faults: string[] = [];
  const visit = (file: string, trail: readonly string[]): void => {
    const start = trail.indexOf(file);
    if (start !== -1) {
      faults.push(`import cycle: ${[...trail.slice(start), file].join(' → ')}`);
      return;
    }
    if (finished.has(file)) return;
    for (const next of targets.get(file) ?? []) visit(next, [...trail, file]);
    finished.add(file);
  };
  for (const file of targets.keys()) visit(file, []);
  return faults;
}

/** Whether a file is part of the product, not of the benchmarks or the demo. */
function isProduct(path: string): boolean {
  return /^(?:src|broker)\//.test(path);
}

/** Names that two files export. Re-exports (`export … from`) do not count. */
function findAlikeNames(tree: SourceTree): readonly string[] {
  const files = new Map<string, Set<string>>();
  for (const [path, source] of tree) {
    if (!isProduct(path) || LIBRARY.has(path)) continue;
    for (const name of findExports(source)) files.set(name, (files.get(name) ?? new Set<string>()).add(path));
  }
  const alike = [...files].filter(([, paths]) => paths.size > 1);
  return alike.map(([name, paths]) => `${[...paths].join(' and ')} both export ${name}`);
}

const EXPORT = /^export (?:declare )?(?:abstract )?(?:async )?(?:type|interface|class|function\*?|const|let) ([\w$]+)/;

function findExports(source: string): readonly string[] {
  return readLines(source).flatMap(({ code }) => EXPORT.exec(code)?.[1] ?? []);
}

/** Comments that are longer than a line of the formatter, as sentences. */
export function findLongComments(tree: SourceTree): readonly string[] {
  return [...tree].flatMap(([path, source]) =>
    readLines(source).flatMap(({ isComment, length }, index) =>
      isComment && length > COMMENT_CHARS_MAX && isProduct(path)
        ? [`${path}:${index + 1} has a comment of ${length} characters, ${COMMENT_CHARS_MAX} at most`]
        : [],
    ),
  );
}

function findFileFaults(path: string, source: string): readonly string[] {
  if (path.startsWith('bench/') || path.startsWith('demo/')) return [];
  return [
    ...findPlaceFault(path),
    ...findNameFault(path),
    ...findLengthFault(path, source),
    ...findLongFunctions(path, source),
    ...findImpurities(path, source),
  ];
}

function findPlaceFault(path: string): readonly string[] {
  return findLayer(path) === undefined ? [`${path} is in no layer of the design`] : [];
}

function findNameFault(path: string): readonly string[] {
  const name = path.slice(path.lastIndexOf('/') + 1).replace(/(?:\.d)?\.ts$/, '');
  if (path === 'src/index.ts') return [];
  if (FORBIDDEN_NAMES.has(name)) return [`${path} has a name that says nothing`];
  return /^[a-z0-9]+(-[a-z0-9]+)*$/.test(name) ? [] : [`${path} must have a name in kebab-case`];
}

function findLengthFault(path: string, source: string): readonly string[] {
  const lines = source.replace(/\n$/, '').split('\n').length;
  return lines > LINES_MAX ? [`${path} has ${lines} lines, ${LINES_MAX} at most`] : [];
}

function findLongFunctions(path: string, source: string): readonly string[] {
  const long = (isProduct(path) ? findFunctions(source) : []).filter(({ length }) => length > FUNCTION_LINES_MAX);
  return long.map(
    ({ line, length }) => `${path}:${line} has a function of ${length} lines, ${FUNCTION_LINES_MAX} at most`,
  );
}

function findImpurities(path: string, source: string): readonly string[] {
  const layer = findLayer(path);
  if (layer !== 'core' && layer !== 'protocol') return [];
  const lines = removeComments(source).split('\n');
  return lines.flatMap((line, index) => {
    const found = IMPURE.exec(line);
    return found === null ? [] : [`${path}:${index + 1} must not use ${found[0]}`];
  });
}
