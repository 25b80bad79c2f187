/**
 * Finds the functions of a source file and their lengths, without a parser. It relies on the formatter: a line that
 * opens a body ends with `{`, and the closing `}` is the first one with the indentation of the line on which the
 * function began.
 */
import { readLines, type SourceLine } from './source-lines.js';

/** One function. */
export interface SourceFunction {
  /** Its first line, counted from 1. */
  readonly line: number;
  /**
   * Lines of its own, from its head to its end. Left out are the functions in it that have a name, which count for
   * themselves, the lines of templates, and tables: the literal that it returns, and the cases of a `switch`.
   */
  readonly length: number;
}

interface Block {
  readonly from: number;
  readonly to: number;
}

interface Body extends Block {
  /** A function with a name, which is counted separately. */
  readonly isNamed: boolean;
}

/** All functions of a file, including methods and callbacks. */
export function findFunctions(source: string): readonly SourceFunction[] {
  const lines = readLines(source);
  const bodies = lines.flatMap((line, at) => (line.code.endsWith('{') ? findBody(lines, at) : []));
  const tables = lines.flatMap((line, at) => (TABLE.test(line.code) ? [findTable(lines, at)] : []));
  return bodies.map((body) => {
    const apart = [...bodies.filter(({ isNamed }) => isNamed), ...tables].filter((one) => isWithin(one, body));
    const counted = lines.filter(
      ({ isTemplate }, at) =>
        at >= body.from && at <= body.to && !isTemplate && !apart.some(({ from, to }) => at >= from && at <= to),
    );
    return { line: body.from + 1, length: counted.length };
  });
}

/** The function whose body a line opens, unless it opens a type, class, literal, loop or condition. */
function findBody(lines: readonly SourceLine[], at: number): readonly Body[] {
  const from = findHead(lines, at);
  const [head, opening] = [codeAt(lines, from).trim(), codeAt(lines, at)];
  const isArrow = opening.endsWith('=> {');
  const isFunction = isArrow || (OPENING.test(opening) && (FUNCTION.test(head) || isMethod(head)));
  if (!isFunction) return [];
  return [{ from, to: findEnd(lines, from, at), isNamed: !isArrow || NAMED_ARROW.test(head) }];
}

/** A body opens after parameters, or after a type of several lines. */
const OPENING = /(?:\)(?:: .+)?|^\s*[}>\]]+) \{$/;
const FUNCTION = /^(?:export )?(?:default )?(?:async )?function\b/;
const NAMED_ARROW = /^(?:(?:export )?const [\w$]+(?:: .+)? =|[\w$]+:) (?:async )?(?:<.*>)?(?:\(|[\w$]+ =>)/;
const METHOD = /^(?:(?:static|override|async|get|set) )*[\w$#]+(?:<.*>)?\(/;
const CONTROL = /^(?:if|for|while|switch|catch|with)\b/;
/** The rows are of one sort, and nothing is between them. */
const TABLE = /^\s*(?:return [{[]|switch \(.*\) \{)$/;

function isMethod(head: string): boolean {
  return METHOD.test(head) && !CONTROL.test(head);
}

/** The first line of a head. With many parameters, the head's last line begins with their closing bracket. */
function findHead(lines: readonly SourceLine[], at: number): number {
  let head = at;
  while (head > 0 && /^\s*[)}\]>]/.test(codeAt(lines, head))) {
    do head -= 1;
    while (head > 0 && !isAsDeep(lines, head, at));
  }
  return head;
}

/** The line that closes what line `at` opened, whose head began at line `from`. */
function findEnd(lines: readonly SourceLine[], from: number, at: number): number {
  const isEnd = (index: number): boolean =>
    isAsDeep(lines, index, from) && /^\s*[}\]]/.test(codeAt(lines, index)) && !/[{(]$/.test(codeAt(lines, index));
  for (let index = at + 1; index < lines.length; index += 1) if (isEnd(index)) return index;
  return lines.length - 1;
}

/** The lines between the one that opens a table and the one that closes it. */
function findTable(lines: readonly SourceLine[], at: number): Block {
  return { from: at + 1, to: findEnd(lines, at, at) - 1 };
}

function isAsDeep(lines: readonly SourceLine[], index: number, other: number): boolean {
  const [one, two] = [codeAt(lines, index), codeAt(lines, other)];
  return one !== '' && lines[index]?.isTemplate === false && measureDepth(one) === measureDepth(two);
}

function measureDepth(code: string): number {
  return code.length - code.trimStart().length;
}

function codeAt(lines: readonly SourceLine[], index: number): string {
  return lines[index]?.code ?? '';
}

function isWithin(inner: Block, outer: Block): boolean {
  return inner !== outer && inner.from > outer.from && inner.to <= outer.to;
}
