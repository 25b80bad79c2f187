// Prints the reference of the library, docs/reference/api.md, from the sources; it needs no build.
//
//   npm run docs:api
import { renderApi } from './render-api.mjs';

process.stdout.write(renderApi(new URL('../', import.meta.url)));
