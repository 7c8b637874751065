// A result of `store check`: its severity, its message and its remedy.

/**
 * `unsafe`: the service would refuse the store, or could not write to it. `warning`: the store works, with a risk.
 * `unknown`: the check could not find out.
 */
export type Severity = 'unsafe' | 'warning' | 'unknown' | 'good';

export interface CheckResult {
  readonly severity: Severity;
  /** The result and its consequence, for people. Never a secret. */
  readonly message: string;
  /** The remedy. */
  readonly remedy?: string;
}

export const good = (message: string): CheckResult => ({ severity: 'good', message });
export const warning = (message: string, remedy: string): CheckResult => ({ severity: 'warning', message, remedy });
export const unsafe = (message: string, remedy: string): CheckResult => ({ severity: 'unsafe', message, remedy });
export const unknown = (message: string, remedy: string): CheckResult => ({ severity: 'unknown', message, remedy });
