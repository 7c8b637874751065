// What all pages of the comparison do: ask the API again and again, and count what goes wrong.

const PAUSE_MS = 400;

/** @param client how it signs in, whether it is signed out, and how it asks the API */
export function keepAsking({ signIn, isSignedOut, ask }) {
  const counts = { asked: 0, failed: 0 };
  Object.assign(globalThis, { counts, signIn, isSignedOut, isReady: true });
  setInterval(async () => {
    if (!globalThis.isStarted || (await isSignedOut())) return;
    counts.asked++;
    const status = await ask().catch(() => 'failed');
    if (status !== 200 && !(await isSignedOut())) counts.failed++;
  }, PAUSE_MS);
}
