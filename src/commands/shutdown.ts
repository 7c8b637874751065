// Owns how a process ends: once, in order, on the first signal; at once on the second.

import type { Logger } from '../platform/log.js';

/**
 * Runs `stop` on SIGTERM or SIGINT, then ends the process. Resolves never: the process ends first.
 * @param atOnce what is left to do when there is no time
 * @returns does the same without a signal, and is not counted as one; the reason is for the log
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
        log.error({ err }, 'did not stop in order');
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
