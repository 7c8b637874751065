// Shutdown on a signal: graceful on the first one, immediate on the second.

import type { Logger } from '../platform/log.js';

/**
 * Runs `stop` on SIGTERM or SIGINT, then ends the process.
 * @param atOnce runs before an immediate end
 * @returns a function that does the same without a signal, and does not count as one. It takes the reason for the log
 */
export function stopOnSignal(
  log: Logger,
  stop: () => Promise<void>,
  atOnce: () => void = () => {},
): (reason: string) => void {
  let stopping = false;
  let signalled = false;
  const begin = (fields: { readonly signal: NodeJS.Signals } | { readonly reason: string }): void => {
    if (stopping) return;
    stopping = true;
    log.info(fields, 'stopping');
    stop().then(
      () => process.exit(0),
      (err) => {
        log.error({ err }, 'the graceful stop failed');
        process.exit(1);
      },
    );
  };
  const onSignal = (signal: NodeJS.Signals): void => {
    if (signalled) {
      atOnce();
      process.exit(1);
    }
    signalled = true;
    begin({ signal });
  };
  process.on('SIGTERM', onSignal);
  process.on('SIGINT', onSignal);
  return (reason) => begin({ reason });
}
