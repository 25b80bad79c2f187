/**
 * Finds the imports of a source file, without a parser: `import … from`, `export … from`, `import '…'`, `import('…')`
 * and `require('…')`, types included. It relies on the formatter: a statement begins on its own line.
 */
import { posix } from 'node:path';

/** Source text by path, relative to the root of the repository, with `/`. */
export type SourceTree = ReadonlyMap<string, string>;

/** One import, of a file in the tree or of a package. */
export interface Import {
  readonly from: string;
  readonly specifier: string;
  /** Path of the imported file; `undefined` for a package. */
  readonly file: string | undefined;
}

const FORMS: readonly RegExp[] = [
  /^\s*(?:import|export)\b[^'"`;()]*?\bfrom\s*['"]([^'"]+)['"]/gm,
  /^\s*import\s*['"]([^'"]+)['"]/gm,
  /\bimport\s*\(\s*['"`]([^'"`]+)['"`]/g,
  /\brequire\s*\(\s*['"`]([^'"`]+)['"`]/g,
];

/** All imports of one file. */
export function findImports(path: string, source: string): readonly Import[] {
  const code = removeComments(source);
  const specifiers = FORMS.flatMap((form) => [...code.matchAll(form)].map((match) => match[1] ?? ''));
  return specifiers.map((specifier) => ({ from: path, specifier, file: resolveFile(path, specifier) }));
}

/** Removes comments that begin a line or follow a statement. Line numbers stay the same. */
export function removeComments(source: string): string {
  return source
    .replaceAll(/^\s*\/\*[\s\S]*?\*\//gm, blank)
    .replaceAll(/^\s*\/\/.*$/gm, '')
    .replaceAll(/([;,{}])\s*\/\/.*$/gm, '$1');
}

function blank(comment: string): string {
  return comment.replaceAll(/[^\n]/g, '');
}

function resolveFile(path: string, specifier: string): string | undefined {
  if (!specifier.startsWith('.')) return undefined;
  return posix.join(posix.dirname(path), specifier).replace(/\.js$/, '.ts');
}
