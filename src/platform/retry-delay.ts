// The delay in a google.rpc.RetryInfo, as all clients of the service read it.

/** A longer delay is ignored. */
const MAX_RETRY_DELAY_MS = 60_000;

/** A google.protobuf.Duration. */
interface Duration {
  readonly seconds: number;
  readonly nanos: number;
}

/** @returns ms; undefined for a delay that is missing, negative or too long */
export function retryDelayMs({ retryDelay }: { readonly retryDelay?: Duration | undefined }): number | undefined {
  if (!retryDelay) return undefined;
  const ms = retryDelay.seconds * 1000 + retryDelay.nanos / 1e6;
  return ms >= 0 && ms <= MAX_RETRY_DELAY_MS ? ms : undefined;
}
