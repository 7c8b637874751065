// Writes docs/openapi.json: `npm run openapi`, after a change of a route or its description.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../docs/markdown.js';
import { openApiText } from './text.js';

writeFileSync(join(ROOT, 'docs/openapi.json'), openApiText());
