// Prints the reference of the command line, docs/reference/cli.md, from the built program.
//
//   npm run docs:cli
import { createProgram } from '../dist/src/cli/program.js';
import { renderReference } from './render-cli.mjs';

process.stdout.write(renderReference(createProgram('0.0.0', () => undefined)));
