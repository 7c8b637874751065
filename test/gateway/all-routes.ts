// The table of routes of a gateway with everything switched on. No route is called.

import type { AuthClient } from '../../gateway/auth-client.js';
import { notFound } from '../../gateway/http/responses.js';
import { readPublicUrls } from '../../gateway/oauth/public-urls.js';
import { EventSource } from '../../gateway/revocations/event-source.js';
import type { RevokerClient } from '../../gateway/revoker-client.js';
import { CookieMode } from '../../gateway/routes/cookie-mode.js';
import { readPaths } from '../../gateway/routes/paths.js';
import type { Routes } from '../../gateway/routes/route.js';
import { createRoutes } from '../../gateway/routes/table.js';
import { Environment } from '../../src/platform/env.js';
import { version } from '../../src/platform/version.js';

/** @param variables settings of paths */
export function allRoutes(variables: NodeJS.ProcessEnv = {}): Routes {
  const client = {} as AuthClient;
  const events = new EventSource(() => {
    throw new Error('no route is called');
  });
  const urls = readPublicUrls(new Environment({}), 'https://login.example.com');
  const oauth = { client, clients: () => new Map(), issuer: undefined, urls, revoker: {} as RevokerClient, events };
  const cookies = new CookieMode(client, { cookie: 'true', origins: [], unixMs: Date.now });
  const parts = { client, check: async () => notFound, oauth, cookies, version: version() };
  return createRoutes(parts, readPaths(new Environment(variables)));
}
