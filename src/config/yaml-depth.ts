/**
 * Measures how deeply a yaml text is nested, without recursion. The yaml library composes documents recursively, and a
 * nearly full stack does not just throw: if V8 then compiles a regular expression, it aborts the process.
 */
import { Parser, type CST } from 'yaml';

/** Depth of the deepest nested collection; 0 for a text without any. */
export function measureDepth(text: string): number {
  let deepest = 0;
  const open: Nested[] = [...new Parser().parse(text)].map((token) => ({ token, depth: 0 }));
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const { token, depth } = next;
    deepest = Math.max(deepest, depth);
    for (const inner of listInner(token)) open.push({ token: inner, depth: depth + (isCollection(inner) ? 1 : 0) });
  }
  return deepest;
}

interface Nested {
  readonly token: CST.Token;
  readonly depth: number;
}

function isCollection({ type }: CST.Token): boolean {
  return type === 'block-map' || type === 'block-seq' || type === 'flow-collection';
}

function listInner(token: CST.Token): readonly CST.Token[] {
  if (token.type === 'document') return token.value === undefined ? [] : [token.value];
  if (!('items' in token)) return [];
  return token.items.flatMap(({ key, value }) => [key, value].filter((one) => one !== undefined && one !== null));
}
