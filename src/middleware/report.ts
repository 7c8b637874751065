// The call of an application's `onError`.

/**
 * Tells the application why a request was not decided on. An error that `onError` throws is dropped: the request must get
 * its response although it cannot be logged.
 */
export function report(onError: ((reason: Error) => void) | undefined, reason: Error): void {
  try {
    onError?.(reason);
  } catch {
    // It would end the process as an unhandled rejection.
  }
}
