// The text of docs/openapi.json.

import { openApiDocument } from '../../gateway/openapi/document.js';
import { version } from '../../src/platform/version.js';
import { allRoutes } from '../gateway/all-routes.js';

/** The document of a gateway with default paths and everything switched on. */
export const openApiText = (): string => `${JSON.stringify(openApiDocument(allRoutes(), version()), undefined, 2)}\n`;
