// Prints the size of `latchkey/browser`: `npm run size:browser`.

import { librarySize } from './bundle.js';

const { minified, gzipped } = await librarySize();
process.stdout.write(`latchkey/browser: ${minified} bytes minified, ${gzipped} bytes gzipped\n`);
