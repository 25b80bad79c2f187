/** Something in the configuration is invalid; the message says what, where it came from and what was expected. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  /** The key, such as `trit.plus_above`, or the unknown name that was given. */
  readonly field: string;
  /** The value given, as text for people; empty when there is nothing to show. */
  readonly value: string;
  /** What was expected, as a phrase: "must be …". */
  readonly expected: string;
  /** `--flag`, a variable's name, `FILE:LINE`, or `default`. */
  readonly origin: string;

  constructor(facts: Pick<ConfigError, 'field' | 'value' | 'expected' | 'origin'>) {
    const value = facts.value === '' ? '' : ` ${facts.value}`;
    super(`${facts.field}${value} (${facts.origin}): ${facts.expected}`);
    this.field = facts.field;
    this.value = facts.value;
    this.expected = facts.expected;
    this.origin = facts.origin;
  }
}
