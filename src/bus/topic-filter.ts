/**
 * MQTT's topic filters: whether a filter with `+` and `#` matches a topic. Pure.
 */

/**
 * Whether `filter` matches `topic`. As MQTT requires, a leading wildcard does not match a topic that starts with `$`.
 */
export function matchesFilter(filter: string, topic: string): boolean {
  if (topic.startsWith('$') && !filter.startsWith('$')) return false;
  const wanted = filter.split('/');
  const levels = topic.split('/');
  for (const [index, level] of wanted.entries()) {
    if (level === '#') return true;
    if (level !== '+' && level !== levels[index]) return false;
    if (index >= levels.length) return false;
  }
  return wanted.length === levels.length;
}
