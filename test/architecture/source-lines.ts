/**
 * Classifies the lines of a source file: code, part of a comment, or part of a string. It knows comments, quoted
 * strings, regular expressions and templates, and nothing else of the language; it recognizes a regular expression by
 * what precedes it.
 */

/** One line of source. */
export interface SourceLine {
  /** The code without comments, and without the contents of strings and regular expressions. */
  readonly code: string;
  /** It is a comment, or contains one. */
  readonly isComment: boolean;
  /** It begins inside a template, as the lines of a shell program do. */
  readonly isTemplate: boolean;
  /** Its length in characters. */
  readonly length: number;
}

/** Everything that is not code, in an order in which one may hide another. Templates may be nested. */
const PIECES = new RegExp(
  [
    /\/\*[\s\S]*?\*\//,
    /\/\/.*/,
    /'(?:[^'\\\n]|\\.)*'/,
    /"(?:[^"\\\n]|\\.)*"/,
    /`(?:[^`\\$]|\\[\s\S]|\$(?!\{)|\$\{(?:[^{}`]|`[^`]*`|\{[^{}]*\})*\})*`/,
    /(?<=(?:^|[(,=:[!&|?{};]|=>|\breturn)\s*)\/(?:[^/\\\n[]|\\.|\[(?:[^\]\\\n]|\\.)*\])+\//,
  ]
    .map(({ source }) => source)
    .join('|'),
  'gm',
);
/** Placeholders for a comment, and for the beginning of a line inside a template. */
const [COMMENT, TEMPLATE] = ['\uE000', '\uE001'];

/** Reads the lines of a file. */
export function readLines(source: string): readonly SourceLine[] {
  const marked = source.replaceAll(PIECES, mark).split('\n');
  return source.split('\n').map((text, index) => {
    const line = marked[index] ?? '';
    return {
      code: line.replaceAll(COMMENT, '').replaceAll(TEMPLATE, '').trimEnd(),
      isComment: line.includes(COMMENT),
      isTemplate: line.startsWith(TEMPLATE),
      length: text.length,
    };
  });
}

function mark(piece: string): string {
  const rest = piece.replaceAll(/[^\n]/g, '');
  if (/^\/[/*]/.test(piece)) return `${COMMENT}${rest.replaceAll('\n', `\n${COMMENT}`)}`;
  return piece.startsWith('`') ? `''${rest.replaceAll('\n', `\n${TEMPLATE}`)}` : "''";
}
