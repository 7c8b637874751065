// The W3C trace context of a request: the header `traceparent`, read or made (https://www.w3.org/TR/trace-context/).

import { randomFillSync } from 'node:crypto';

const TRACEPARENT = /^(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(-.{0,200})?$/;
/** The longest `tracestate` that every participant passes on. */
const MAX_TRACESTATE = 512;
/** A character of printable ASCII, which gRPC's metadata accepts. */
const PRINTABLE = /^[ -~]*$/;

/** The headers of a trace, for the next call. */
export type TraceHeaders = Readonly<Record<string, string>>;

/** @returns the id of the trace that a `traceparent` names; undefined: it is missing or invalid */
export function traceIdIn(traceparent: string | undefined): string | undefined {
  if (traceparent === undefined) return undefined;
  const [, traceId, further] = TRACEPARENT.exec(traceparent) ?? [];
  // Version 00 ends there; later ones may have more.
  return further !== undefined && traceparent.startsWith('00') ? undefined : traceId;
}

const ID_BYTES = 16;
const POOLED_IDS = 256;
/** Random bytes for the next ids: a system call for each id would take longer than the rest of making it. */
const pool = Buffer.alloc(ID_BYTES * POOLED_IDS);
let used = pool.length;

/** 32 hex digits. */
function randomHex(): string {
  if (used === pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  used += ID_BYTES;
  return pool.toString('hex', used - ID_BYTES, used);
}

export const makeTraceId = randomHex;

/** A `traceparent` for a trace of ours. Not sampled, because there is no SDK to record it. */
export const makeTraceparent = (traceId: string): string => `00-${traceId}-${randomHex().slice(16)}-00`;

/** The trace of a request without an SDK: its own, passed on unchanged, or a new one. */
export function passedOn(header: (name: string) => string | undefined): {
  readonly traceId: string;
  readonly headers: TraceHeaders;
} {
  const [traceparent = '', tracestate = ''] = [header('traceparent'), header('tracestate')];
  const taken = traceIdIn(traceparent);
  if (taken === undefined) {
    const traceId = makeTraceId();
    return { traceId, headers: { traceparent: makeTraceparent(traceId) } };
  }
  const isPassed = tracestate !== '' && tracestate.length <= MAX_TRACESTATE && PRINTABLE.test(tracestate);
  return { traceId: taken, headers: { traceparent, ...(isPassed && { tracestate }) } };
}
