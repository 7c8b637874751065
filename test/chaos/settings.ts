// The settings of a chaos run, from variables: CHAOS_SECONDS, CHAOS_SEED, CHAOS_STORE, CHAOS_ONLY, CHAOS_CLIENTS, CHAOS_SOURCE.

import type { ChaosOptions } from './chaos.js';
import { STORES, type StoreKind } from './cluster.js';

const isStore = (name: string): name is StoreKind => STORES.some((each) => each === name);

/** @throws Error that says which variable is wrong */
export function chaosOptions(env: NodeJS.ProcessEnv): ChaosOptions {
  const number = (name: string, otherwise: number): number => {
    const value = Number(env[name] || otherwise);
    if (!Number.isSafeInteger(value) || value < 1) throw new Error(`${name} must be a whole number over 0`);
    return value;
  };
  const store = env['CHAOS_STORE'] || 'redis';
  if (!isStore(store)) throw new Error(`CHAOS_STORE must be one of ${STORES.join(', ')}`);
  const seed = number('CHAOS_SEED', 1 + Math.floor(Math.random() * (2 ** 32 - 1)));
  const only = env['CHAOS_ONLY'];
  const source = env['CHAOS_SOURCE'] || undefined;
  if (source !== undefined && source !== 'feed' && source !== 'answers')
    throw new Error('CHAOS_SOURCE must be feed or answers');
  const clients = env['CHAOS_CLIENTS'] ? number('CHAOS_CLIENTS', 1) : undefined;
  return {
    seconds: number('CHAOS_SECONDS', 30),
    seed,
    store,
    faults: true,
    validators: true,
    ...(only ? { only } : {}),
    ...(source ? { source } : {}),
    ...(clients ? { clients } : {}),
  };
}
