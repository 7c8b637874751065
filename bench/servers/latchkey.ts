// How Latchkey itself is started for the bench, and with which settings.

import { fileURLToPath } from 'node:url';
import { type Child, PROFILED, startChild } from './child.js';

const MAIN = fileURLToPath(new URL('../../src/main.js', import.meta.url));

export const ISSUER_TOKEN = 'a credential of the login back end, for the bench alone';
export const JWT_SECRET = 'a secret for the bench alone, of more than 32 bytes';

/** What is set besides keys, store and addresses; all else is by default. */
export const SETTINGS = {
  // The runs would outlive the tokens.
  ACCESS_TTL: '12h',
  // The load is always as much as the server can take, which in operation is an overload: it would refuse calls.
  MAX_CONCURRENT_CALLS: '1000000',
} as const;

export interface ServeOptions {
  readonly folder: string;
  /** Keys and store. */
  readonly env: Readonly<Record<string, string>>;
  readonly everyCore?: boolean;
  readonly besideLoad?: boolean;
}

export const startServe = ({ folder, env, everyCore = false, besideLoad = false }: ServeOptions): Promise<Child> =>
  startChild({
    args: [...PROFILED, MAIN, 'serve'],
    env: { GRPC_ADDRESS: '127.0.0.1:0', ISSUER_TOKEN, ...SETTINGS, ...env },
    folder,
    everyCore,
    besideLoad,
    ready: 'service listening',
  });

export const startGateway = (
  folder: string,
  service: Child,
  more: Readonly<Record<string, string>> = {},
): Promise<Child> =>
  startChild({
    args: [...PROFILED, MAIN, 'gateway'],
    env: { HTTP_ADDRESS: '127.0.0.1:0', AUTH_SERVICE_ADDRESS: `${service.host}:${service.port}`, ...more },
    folder,
    ready: 'gateway listening',
  });
