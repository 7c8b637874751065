// The order of the results of `store check`, and the merge of equal results of several servers. Pure.

import type { Finding } from '../../../core/finding.js';

const ORDER = ['unsafe', 'warning', 'unknown', 'good'] as const;

export const worstFirst = (findings: readonly Finding[]): readonly Finding[] =>
  findings.toSorted((a, b) => ORDER.indexOf(a.weight) - ORDER.indexOf(b.weight));

/** The results for one server, and the server's name. */
export interface Surveyed {
  readonly server: string;
  readonly findings: readonly Finding[];
}

/** Prefixes each result with its servers; a result that all servers share is listed once. */
export function labelByServer(kind: string, surveyed: readonly Surveyed[]): readonly Finding[] {
  const bySays = new Map<string, { readonly finding: Finding; readonly servers: string[] }>();
  for (const { server, findings } of surveyed) {
    for (const finding of findings) {
      const key = `${finding.weight} ${finding.says}`;
      const known = bySays.get(key) ?? { finding, servers: [] };
      known.servers.push(server);
      bySays.set(key, known);
    }
  }
  return [...bySays.values()].map(({ finding, servers }) => {
    const whole = servers.length === surveyed.length && servers.length > 1;
    const whose = whole ? `each ${kind}` : `${kind} ${servers.join(', ')}`;
    return { ...finding, says: `${whose}: ${finding.says}` };
  });
}
