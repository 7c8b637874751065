// The wall clock of a Sentinel as its callers see it: a filter of its answers changes what would change if the clock were stepped.
//
// A Sentinel tells how long ago something was by its wall clock. A step adds to all that was before it. The process itself
// keeps its own time: what a step does to its own waits is not shown.

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
