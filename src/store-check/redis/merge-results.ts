// The order of the results of `store check`, and the merge of equal results of several servers. Pure.

import type { CheckResult } from '../check-result.js';

const ORDER = ['unsafe', 'warning', 'unknown', 'good'] as const;

export const worstFirst = (results: readonly CheckResult[]): readonly CheckResult[] =>
  results.toSorted((a, b) => ORDER.indexOf(a.severity) - ORDER.indexOf(b.severity));

/** The results for one server, and the server's name. */
export interface Surveyed {
  readonly server: string;
  readonly results: readonly CheckResult[];
}

/** Prefixes each result with its servers; a result that all servers share is listed once. */
export function labelByServer(kind: string, surveyed: readonly Surveyed[]): readonly CheckResult[] {
  const byMessage = new Map<string, { readonly result: CheckResult; readonly servers: string[] }>();
  for (const { server, results } of surveyed) {
    for (const result of results) {
      const key = `${result.severity} ${result.message}`;
      const known = byMessage.get(key) ?? { result, servers: [] };
      known.servers.push(server);
      byMessage.set(key, known);
    }
  }
  return [...byMessage.values()].map(({ result, servers }) => {
    const whole = servers.length === surveyed.length && servers.length > 1;
    const whose = whole ? `each ${kind}` : `${kind} ${servers.join(', ')}`;
    return { ...result, message: `${whose}: ${result.message}` };
  });
}
