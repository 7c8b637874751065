// The wall clock of a Sentinel as its callers see it: a filter changes its answers as a step of the clock would.
//
// A Sentinel reports by its wall clock how long ago an event was. A step adds to the age of all events before the step.
// The clock of the process itself does not change, so the effect of a step on the Sentinel's own waits is not modelled.

import type { Filter } from '../support/tcp-proxy.js';

/** The fields of SENTINEL MASTER and SENTINEL REPLICAS that are differences of its clock, ms. */
const ELAPSED = new Set([
  ...['last-ping-sent', 'last-ok-ping-reply', 'last-ping-reply', 'last-hello-message'],
  ...['s-down-time', 'o-down-time', 'info-refresh', 'role-reported-time'],
]);
const CRLF = Buffer.from('\r\n');

export class SentinelClock {
  readonly #steps: { readonly atMs: number; readonly byMs: number }[] = [];

  step(byMs: number): void {
    this.#steps.push({ atMs: performance.now(), byMs });
  }

  /** How long ago it is by this clock, if that is the true difference. */
  elapsed(trueMs: number): number {
    const momentMs = performance.now() - trueMs;
    return this.#steps.reduce((sum, { atMs, byMs }) => (atMs > momentMs ? sum + byMs : sum), trueMs);
  }

  /** A filter of one connection's answers. RESP: a bulk string is `$`, its length, and its bytes; all else is a line. */
  filter(): Filter {
    let left: Buffer = Buffer.alloc(0);
    let field = '';
    const changed = (text: string): string => {
      const known = ELAPSED.has(field) && /^-?\d+$/.test(text);
      field = text;
      return known ? String(Math.round(this.elapsed(Number(text)))) : text;
    };
    return (bytes) => {
      left = Buffer.concat([left, bytes]);
      const out: Buffer[] = [];
      for (;;) {
        const end = left.indexOf(CRLF);
        if (end < 0) break;
        const line = left.toString('latin1', 0, end);
        const length = line.startsWith('$') ? Number(line.slice(1)) : -1;
        const rest = end + CRLF.length;
        if (length < 0) {
          out.push(left.subarray(0, rest));
          left = left.subarray(rest);
          continue;
        }
        if (left.length < rest + length + CRLF.length) break;
        const text = changed(left.toString('latin1', rest, rest + length));
        out.push(Buffer.from(`$${text.length}\r\n${text}\r\n`, 'latin1'));
        left = left.subarray(rest + length + CRLF.length);
      }
      return Buffer.concat(out);
    };
  }
}
