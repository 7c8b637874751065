// Finds what an SDK of OpenTelemetry has registered. The API itself is loaded only then, since most nodes trace nothing.

import type { Tracing } from './tracing.js';

/** Where each copy of version 1 of the API keeps what is registered. */
const REGISTRY = Symbol.for('opentelemetry.js.api.1');

/** @returns undefined: no SDK has been loaded before this program, so that nothing is traced and nothing costs */
export async function findTracing(): Promise<Tracing | undefined> {
  if (!Object.hasOwn(globalThis, REGISTRY)) return undefined;
  return (await import('./tracing.js')).Tracing.find();
}
