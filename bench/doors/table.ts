// The table of the bench: a line for each door, and its ratios to the doors that do less.

import type { RunningProxy } from '../../test/doors/proxy.js';
import { median } from '../figures.js';
import type { Child } from '../servers/child.js';

export interface Door {
  readonly name: string;
  readonly proxy: RunningProxy;
  /** The gRPC server that decides. */
  readonly service: Child;
  /** The gateway that the proxy asks; undefined: none. */
  readonly gateway?: Child;
}

export interface Round {
  readonly requests: number;
  readonly perS: number;
  readonly serveUs: number;
  readonly gatewayUs: number;
}

export const UNGUARDED_ENVOY = 'Envoy, no guard';
export const UNGUARDED_NGINX = 'nginx, no guard';
/** The least that a server of Envoy's external authorization costs: grpc-js, and the bytes of one answer. */
export const ECHO = 'Envoy, ext_authz that always allows';

/** A line of the table for each door. Ratios are of the same round. */
export function rows(rounds: ReadonlyMap<Door, readonly Round[]>): string[] {
  const roundsOf = (wanted: string): readonly Round[] => [...rounds].find(([{ name }]) => name === wanted)?.[1] ?? [];
  return [...rounds].map(([{ name, gateway }, all]) => {
    const of = (part: keyof Round): number => median(all.map((each) => each[part]));
    const ratio = (part: keyof Round, base: readonly Round[]): string =>
      median(all.map((each, round) => each[part] / (base[round]?.[part] ?? Number.NaN))).toFixed(2);
    const unguarded = roundsOf(name.startsWith('Envoy') ? UNGUARDED_ENVOY : UNGUARDED_NGINX);
    const asksByGrpc = name.startsWith('Envoy, ext_authz');
    return `| ${[
      ...[name, of('perS').toFixed(0), ratio('perS', unguarded), of('serveUs').toFixed(1)],
      asksByGrpc ? ratio('serveUs', roundsOf(ECHO)) : '–',
      gateway ? of('gatewayUs').toFixed(1) : '–',
    ].join(' | ')} |`;
  });
}
