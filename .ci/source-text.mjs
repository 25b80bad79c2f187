// Cuts pieces out of a parsed source: docstrings as plain text, and code without its comments.

/** The docstring right before a place of a source, one line for each paragraph; empty if there is none. */
export function findDocstring({ source, comments }, start) {
  const comment = comments.findLast(({ end }) => end <= start);
  if (comment?.type !== 'Block' || !comment.value.startsWith('*')) return '';
  // The bar of a union, or its bracket, stands between a comment and the type.
  if (!/^[\s|(]*$/.test(source.slice(comment.end, start))) return '';
  const lines = comment.value.slice(1).split('\n');
  const text = lines.map((line) => line.replace(/^\s*\*? ?/, '').trimEnd()).join('\n');
  return text
    .trim()
    .replaceAll(/(?<!\n)\n(?!\n)/g, ' ')
    .replaceAll(/\n+/g, '\n');
}

/** The code between two places, without comments and the lines that hold nothing else. */
export function removeComments({ source, comments }, start, end) {
  const pieces = [];
  let from = start;
  for (const comment of comments.filter((one) => one.start >= start && one.end <= end)) {
    const before = source.slice(from, comment.start);
    const ownsLine = /\n[ \t]*$/.test(before);
    pieces.push(ownsLine ? before.replace(/\n[ \t]*$/, '') : before.trimEnd());
    from = comment.end;
  }
  return [...pieces, source.slice(from, end)].join('');
}

/** The same on one line. */
export function collapse(file, start, end) {
  return removeComments(file, start, end).replaceAll(/\s+/g, ' ').replace(/^\| /, '').trim();
}
