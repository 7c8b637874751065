// Owns how findings of several servers are put together: in which order, and what is said once of all of them. Pure.

import type { Finding } from '../../../core/finding.js';

const ORDER = ['unsafe', 'warning', 'unknown', 'good'] as const;

export const worstFirst = (findings: readonly Finding[]): readonly Finding[] =>
  findings.toSorted((a, b) => ORDER.indexOf(a.weight) - ORDER.indexOf(b.weight));

/** What was found of one server, and the server's name. */
export interface Surveyed {
  readonly server: string;
  readonly findings: readonly Finding[];
}

/** Says of whom each finding is, and of all at once what was found of all. */
export function ofEach(kind: string, surveyed: readonly Surveyed[]): readonly Finding[] {
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
