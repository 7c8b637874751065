// The page of `latchkey/browser` in the comparison.

import { createSession } from '../../../dist/src/browser/index.js';
import { keepAsking } from './keep-asking.js';

const session = createSession({ mode: 'cookie' });
let isSignedOut = false;
session.on('signedOut', () => {
  isSignedOut = true;
});
session.on('signedIn', () => {
  isSignedOut = false;
});

keepAsking({
  signIn: ({ refresh }) => session.signIn(refresh),
  isSignedOut: async () => isSignedOut,
  ask: async () => (await session.fetch('/orders')).status,
});
