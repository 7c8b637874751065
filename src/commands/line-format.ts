// The format of a command's log lines: JSON, or text for a person at a terminal.

import { isatty } from 'node:tty';
import type { LineFormat } from '../platform/log.js';
import { standardError } from '../platform/output/standard-error.js';
import { prettyLine } from '../platform/pretty-line.js';
import type { LogFormat } from '../settings/monitoring.js';

/** Whether standard output (1) or standard error (2) is a terminal. */
export const isOnTerminal = (stream: 1 | 2): boolean => isatty(stream === 2 ? standardError() : stream);

/** @returns undefined: JSON. Colours are for a terminal, and not where NO_COLOR is set (https://no-color.org) */
export function lineFormat(
  format: LogFormat,
  stream: 1 | 2,
  { NO_COLOR: noColour = '' }: NodeJS.ProcessEnv,
): LineFormat | undefined {
  if (format === 'json') return undefined;
  const style = { hasColours: isOnTerminal(stream) && noColour === '' };
  return (line) => prettyLine(line, style);
}
