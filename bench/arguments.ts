/** The arguments of `npm run bench`. Pure. */
import { parseArgs } from 'node:util';

/** What to run, and how to print it. */
export interface BenchArguments {
  /** Names of benchmarks, in the order in which they run. */
  readonly chosen: readonly string[];
  readonly asJson: boolean;
}

/**
 * Parses the arguments. Without a name, all of `names` run that are not in `onRequest`. Returns a sentence for people
 * if an argument is wrong.
 */
export function parseBenchArguments(
  argv: readonly string[],
  names: readonly string[],
  onRequest: readonly string[],
): BenchArguments | { readonly fault: string } {
  const choices = `must be one of ${names.join(', ')}`;
  const options = { json: { type: 'boolean' } } as const;
  const { values, positionals, tokens } = parseArgs({
    args: [...argv],
    allowPositionals: true,
    strict: false,
    options,
    tokens: true,
  });
  const option = tokens.find((token) => token.kind === 'option' && token.name !== 'json');
  if (option?.kind === 'option') return { fault: `unknown option ${option.rawName}: must be --json` };
  if (typeof values.json === 'string') return { fault: `--json takes no value, but has ${values.json}` };
  const wrong = positionals.find((name) => !names.includes(name));
  if (wrong !== undefined) return { fault: `unknown benchmark ${wrong}: ${choices}` };
  const chosen = positionals.length === 0 ? names.filter((name) => !onRequest.includes(name)) : positionals;
  return { chosen: [...new Set(chosen)], asJson: values.json === true };
}
