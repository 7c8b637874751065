// The durations of requests, by route and status.

import { STATUS_CODES } from 'node:http';
import type { HistogramByTwo, Meter } from '../../src/platform/metrics/meter.js';

/** The status of a request whose client left before the head of the response was sent. */
export const ABORTED = 'aborted';

export type RequestDurations = HistogramByTwo<string, string>;

/** @param routes the names of the routes, which come from settings and never from a request */
export const requestDurations = (meter: Meter, routes: readonly string[]): RequestDurations =>
  meter.histogramByTwo(
    { name: 'latchkey_http_duration_seconds', help: 'Time from the head of a request to the end of its response' },
    [
      { name: 'route', values: routes },
      { name: 'status', values: [...Object.keys(STATUS_CODES), ABORTED] },
    ],
  );
