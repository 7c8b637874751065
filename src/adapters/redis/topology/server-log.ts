// A log whose lines name the server that they are about.

import type { Log } from '../server-check.js';

/** @param server undefined: there is only one, so no line names it */
export function logOfServer(log: Log, server: string | undefined): Log {
  if (server === undefined) return log;
  return {
    info: (fields, message) => log.info({ ...fields, server }, message),
    warn: (fields, message) => log.warn({ ...fields, server }, message),
    error: (fields, message) => log.error({ ...fields, server }, message),
  };
}
