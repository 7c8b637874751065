// Validates, refreshes and logs out a session, and reads the details of two errors.

import { CannotTell, InvalidRequest, Latchkey, TokenRefused } from './latchkey-client.js';

const { ACCESS, REFRESH, AUTH_SERVICE_ADDRESS = '127.0.0.1:50051', AUTH_SERVICE_TLS_CA } = process.env;
const latchkey = new Latchkey(AUTH_SERVICE_ADDRESS, AUTH_SERVICE_TLS_CA);

try {
  await walk(ACCESS, REFRESH);
} catch (error) {
  if (!(error instanceof CannotTell)) throw error;
  console.error(error.message);
  process.exitCode = 1;
} finally {
  latchkey.close();
}

async function walk(accessToken, refreshToken) {
  if (!(await latchkey.isServing())) throw new Error('the service is not serving');
  console.log('the service is serving');

  const validation = await latchkey.validate(accessToken);
  if (!validation.active) throw new Error(`the access token is not active: ${validation.problem}`);
  console.log(`${validation.subject} is active`);

  const pair = await latchkey.refresh(refreshToken);
  console.log(`the session goes on: ${pair.sessionId === validation.sessionId}`);

  await latchkey.logout(pair.refreshToken);
  const { problem } = await latchkey.validate(pair.accessToken);
  console.log(`after the logout: ${problem}`);

  try {
    await latchkey.refresh(pair.refreshToken);
  } catch (error) {
    if (!(error instanceof TokenRefused)) throw error;
    console.log(`and a refresh: ${error.reason}, because of a ${error.endedBy}`);
  }
  try {
    await latchkey.refresh('');
  } catch (error) {
    if (!(error instanceof InvalidRequest)) throw error;
    console.log(`an empty token: ${error.message}`);
  }
}
