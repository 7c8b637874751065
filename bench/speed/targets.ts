// What the figures are to be at least, or at most.

import type { Row } from './row.js';

export interface Target {
  readonly what: string;
  /** The id of the row. */
  readonly row: string;
  /** Calls a second over the other's, or processor time a call over the other's. */
  readonly of: 'rate' | 'cpu';
  readonly bound: 'at least' | 'at most';
  readonly value: number;
}

const least = (row: string, what: string, value: number): Target => ({
  what,
  row,
  of: 'rate',
  bound: 'at least',
  value,
});
const most = (row: string, what: string, value: number): Target => ({ what, row, of: 'cpu', bound: 'at most', value });

export const TARGETS: readonly Target[] = [
  least('validate/same/redis', 'validate, same token, Redis: calls a second of the bare echo', 0.9),
  most('validate/same/redis', 'validate, same token, Redis: processor time a call of the bare echo', 1.12),
  least('validate/turn/redis', 'validate, tokens in turn, ES256, Redis', 0.85),
  least('validate/same/lmdb', 'validate, same token, LMDB', 0.93),
  least('batch/redis', "`ValidateTokens`, 100 a call: tokens a second over the bare echo's calls a second", 7),
  least('refresh/HS256/redis', 'refresh, HS256, Redis', 0.55),
  least('refresh/ES256/redis', 'refresh, ES256, Redis', 0.4),
  least('rest/HS256/redis', 'refresh by REST, HS256', 0.75),
  least('rest/ES256/redis', 'refresh by REST, ES256', 0.75),
  least('guard/fastify', 'a guarded fastify route over the same one, not guarded', 0.9),
  least('peer/oidc-provider', "validate over node-oidc-provider's introspection", 2.5),
  least('workers/h2load', 'validate, same token, by h2load, two workers over one, load permitting', 1.7),
  least('workers/validate', 'validate, tokens in turn, two workers over one, load permitting', 1.7),
  least('workers/refresh', 'refresh, two workers over one, load permitting', 1.7),
  most('sizes/validate/redis', 'validate, Redis: processor time a call at many sessions over few', 1.1),
];

export const measured = ({ row: id, of }: Target, rows: readonly Row[]): number | undefined =>
  rows.find((row) => row.id === id)?.[of].median;

export const isMet = ({ bound, value }: Target, found: number): boolean =>
  bound === 'at least' ? found >= value : found <= value;
