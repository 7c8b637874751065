// The call of an application's `onError`.

/**
 * Gives `onError` the reason for which a request was not decided on. An error that it throws is dropped: the request
 * must get its response although the reason cannot be logged.
 */
export function report(onError: ((reason: Error) => void) | undefined, reason: Error): void {
  try {
    onError?.(reason);
  } catch {
    // It would end the process as an unhandled rejection.
  }
}
