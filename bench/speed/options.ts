// The options of `npm run bench`.

import { parseArgs } from 'node:util';

export interface Options {
  /** The scenarios to run, by name; undefined: all. */
  readonly only: readonly string[] | undefined;
  readonly rounds: number;
  readonly seconds: number;
  /** A run that shows that everything works, and whose figures say nothing. */
  readonly quick: boolean;
  /** Measure node-oidc-provider too, which is installed for it. */
  readonly peer: boolean;
}

const USAGE = 'wanted: [--only name,name] [--rounds 5] [--seconds 2] [--quick] [--peer]';

/** A number among the options. @throws Error if it is none */
export function positive(name: string, text: string): number {
  const value = Number(text);
  if (value > 0 && Number.isFinite(value)) return value;
  throw new Error(`--${name} is ${JSON.stringify(text)}; wanted: a number over 0`);
}

/** @param names the scenarios that there are. @throws Error that says what is wrong */
export function readOptions(args: readonly string[], names: readonly string[]): Options {
  const { values } = parse(args);
  const only = values.only?.split(',').map((name) => name.trim());
  const unknown = only?.filter((name) => !names.includes(name)) ?? [];
  if (unknown.length > 0) throw new Error(`--only ${unknown.join(',')}; wanted: some of ${names.join(', ')}`);
  const { quick, peer } = values;
  return {
    only,
    rounds: Math.ceil(positive('rounds', values.rounds ?? (quick ? '1' : '5'))),
    seconds: positive('seconds', values.seconds ?? (quick ? '0.3' : '2')),
    quick,
    peer,
  };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        only: { type: 'string' },
        rounds: { type: 'string' },
        seconds: { type: 'string' },
        quick: { type: 'boolean', default: false },
        peer: { type: 'boolean', default: false },
      },
    });
  } catch (error) {
    throw new Error(`${error instanceof Error ? error.message : error}\n${USAGE}`);
  }
}
