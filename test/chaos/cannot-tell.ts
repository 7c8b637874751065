// For how long validators could not tell: from the first CannotTell until a token was called active again. Pure.
//
// An answer "not active" ends no such stretch: a session that has ended is known to have, however old the knowledge is.

import { countBy } from './counts.js';
import type { FaultRecord, History, Span, ValidationRecord } from './record.js';

/** Stretches of some validations, by when each answer was handed over. */
export function stretchesOf(validations: readonly ValidationRecord[]): Span[] {
  const stretches: Span[] = [];
  let open: { readonly fromMs: number; toMs: number } | undefined;
  for (const { handedMs, outcome } of [...validations].sort((a, b) => a.handedMs - b.handedMs)) {
    if (outcome.is === 'unknown') {
      open ??= { fromMs: handedMs, toMs: handedMs };
      open.toMs = handedMs;
    } else if (outcome.is === 'active' && open) {
      stretches.push({ fromMs: open.fromMs, toMs: handedMs });
      open = undefined;
    }
  }
  return open ? [...stretches, open] : stretches;
}

export interface Unknown {
  readonly count: number;
  /** ms. */
  readonly longestMs: number;
  readonly totalMs: number;
}

export function measure(stretches: readonly Span[]): Unknown {
  const lengths = stretches.map(({ fromMs, toMs }) => toMs - fromMs);
  const totalMs = lengths.reduce((sum, ms) => sum + ms, 0);
  return { count: stretches.length, longestMs: Math.max(0, ...lengths), totalMs };
}

/** Whether a stretch began during a fault, or before the nodes served again after it. */
const isOf = (stretch: Span, { fromMs, toMs, recoveredAfterMs = Number.POSITIVE_INFINITY }: FaultRecord): boolean =>
  stretch.fromMs <= toMs + recoveredAfterMs && stretch.toMs >= fromMs;

/** Those that are printed by fault: nothing but the faults of the store and the nodes disturbs them. */
const UNDISTURBED: readonly string[] = ['feed', 'bounded'];

const shown = ({ count, longestMs, totalMs }: Unknown): string =>
  `${count} times, ${Math.round(longestMs)} ms at most, ${Math.round(totalMs)} ms in all`;

/** For how long validators could not tell: each one within its staleness and strictly, and some by fault. */
export function cannotTellLines({ validations, faults }: History, stalenessMs: number): string[] {
  const lines = ['CannotTell until the next answer "active":'];
  for (const name of countBy(validations, ({ validator }) => validator).keys()) {
    for (const [demand, ms] of [[`within ${stalenessMs} ms`, stalenessMs] as const, ['strict', undefined] as const]) {
      const own = validations.filter((each) => each.validator === name && each.stalenessMs === ms);
      const stretches = stretchesOf(own);
      if (stretches.length === 0) continue;
      lines.push(`  ${name}, ${demand}: ${shown(measure(stretches))}`);
      if (!UNDISTURBED.includes(name)) continue;
      for (const kind of countBy(faults, (fault) => fault.kind).keys()) {
        const ofKind = faults.filter((fault) => fault.kind === kind);
        const during = stretches.filter((stretch) => ofKind.some((fault) => isOf(stretch, fault)));
        if (during.length > 0) lines.push(`    ${kind} ${ofKind.length}: ${shown(measure(during))}`);
      }
    }
  }
  return lines;
}
