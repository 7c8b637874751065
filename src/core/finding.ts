// Owns the form in which a store is judged: what was found, how heavy it weighs, and what mends it.

/**
 * `unsafe`: the service would refuse it, or could record nothing there. `warning`: it can be used, at a price.
 * `unknown`: it could not be found out.
 */
export type Weight = 'unsafe' | 'warning' | 'unknown' | 'good';

export interface Finding {
  readonly weight: Weight;
  /** What was found and why it matters, for people. Never a secret. */
  readonly says: string;
  /** What to do about it. */
  readonly mend?: string;
}

export const good = (says: string): Finding => ({ weight: 'good', says });
export const warning = (says: string, mend: string): Finding => ({ weight: 'warning', says, mend });
export const unsafe = (says: string, mend: string): Finding => ({ weight: 'unsafe', says, mend });
export const unknown = (says: string, mend: string): Finding => ({ weight: 'unknown', says, mend });
