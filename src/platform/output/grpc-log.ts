// The output of the gRPC library: redirected by its own hook to the log, without values from callers.

import { logVerbosity, setLogger, setLogVerbosity } from '@grpc/grpc-js';
import type { Logger } from '../log.js';
import { outline } from './foreign-output.js';
import { Repeats } from './repeats.js';

/** The library's text about an invalid header, which it drops. The header's value follows its name. */
const BAD_HEADER = /^Failed to add metadata entry ([a-z0-9_.-]{1,64}): /;
/** The library also throws this as an error with the address in it. */
const GIVEN_AS_ERROR = /^No address added out of total /;

let repeats: Repeats | undefined;

/** Redirects the library's output to this log, regardless of GRPC_TRACE and GRPC_VERBOSITY. */
export function logGrpcTo(log: Logger): void {
  repeats?.close();
  const lines = new Repeats(() => log);
  repeats = lines;
  const write = (...given: readonly unknown[]): void => writeLine(lines, String(given[0]));
  // Traces contain complete headers and messages.
  setLogVerbosity(logVerbosity.ERROR);
  setLogger({ error: write, info: write, debug: write });
}

function writeLine(lines: Repeats, text: string): void {
  if (GIVEN_AS_ERROR.test(text)) return;
  if (text.startsWith('Failed to add metadata entry ')) {
    const header = BAD_HEADER.exec(text)?.[1];
    return lines.write(
      'header',
      'info',
      { header },
      'a call has a header with characters that gRPC does not allow: it is ignored',
    );
  }
  const detail = outline(text);
  lines.write(detail, 'warn', { detail }, "gRPC's library reports a fault");
}
