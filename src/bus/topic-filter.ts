/**
 * MQTT's topic filters: whether a filter with `+` and `#` takes a topic. Pure.
 */

/** Whether `filter` takes `topic`; as MQTT wants, a leading wildcard takes no topic that starts with `$`. */
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
