// Owns how a process ends: once, in order, on the first signal; at once on the second.

import type { Logger } from '../log.js';

/** Runs `stop` on SIGTERM or SIGINT, then ends the process. Resolves never: the process ends first. */
export function untilSignalled(log: Logger, stop: () => Promise<void>): void {
  let stopping = false;
  const onSignal = (signal: NodeJS.Signals): void => {
    if (stopping) process.exit(1);
    stopping = true;
    log.info({ signal }, 'stopping');
    stop().then(
      () => process.exit(0),
      (err) => {
        log.error({ err }, 'did not stop in order');
        process.exit(1);
      },
    );
  };
  process.on('SIGTERM', onSignal);
  process.on('SIGINT', onSignal);
}
