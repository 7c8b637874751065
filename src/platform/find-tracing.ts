// The search for an SDK of OpenTelemetry. Without one the program does not load OpenTelemetry's API.

import type { Tracing } from './tracing.js';

/** The global property in which every copy of the API (major version 1) keeps the registered SDK. */
const REGISTRY = Symbol.for('opentelemetry.js.api.1');

/** @returns undefined: no SDK has registered itself, so nothing is traced */
export async function findTracing(): Promise<Tracing | undefined> {
  if (!(REGISTRY in globalThis)) return undefined;
  const { Tracing } = await import('./tracing.js');
  return Tracing.find();
}
