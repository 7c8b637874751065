// The search for an SDK of OpenTelemetry. Without one OpenTelemetry's API is not loaded: it has 45 modules.

import type { Tracing } from './tracing.js';

/** Where the API keeps what an SDK has registered, so that all its copies in a process find it. */
const REGISTRY = Symbol.for('opentelemetry.js.api.1');

/** @returns undefined: no SDK was loaded before this program, so nothing is traced, at no cost */
export async function findTracing(): Promise<Tracing | undefined> {
  if (!(REGISTRY in globalThis)) return undefined;
  const { Tracing } = await import('./tracing.js');
  return Tracing.find();
}
