// A result of `store check`: its severity, its message and its remedy.

/**
 * `unsafe`: the service would refuse the store, or could not write to it. `warning`: the store works, with a risk.
 * `unknown`: the check could not find out.
 */
export type Weight = 'unsafe' | 'warning' | 'unknown' | 'good';

export interface Finding {
  readonly weight: Weight;
  /** The result and its consequence, for people. Never a secret. */
  readonly says: string;
  /** The remedy. */
  readonly mend?: string;
}

export const good = (says: string): Finding => ({ weight: 'good', says });
export const warning = (says: string, mend: string): Finding => ({ weight: 'warning', says, mend });
export const unsafe = (says: string, mend: string): Finding => ({ weight: 'unsafe', says, mend });
export const unknown = (says: string, mend: string): Finding => ({ weight: 'unknown', says, mend });
