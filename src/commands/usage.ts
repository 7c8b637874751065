// Owns the words of the command line: its help, and the error for what it does not know.

/** The command line was wrong; the message says how. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

export const HELP = `latchkey: a token service. Refreshes, ends and validates JWT sessions over gRPC and REST.

Usage
  latchkey dev              service and gateway in one process, on the embedded store; keys are made if missing
  latchkey serve            the gRPC service (REDIS_URL or DATA_DIR, JWT_KEYS_DIR or JWT_SECRET must be set)
  latchkey gateway          the HTTP gateway in front of AUTH_SERVICE_ADDRESS
  latchkey store check      what of the store in REDIS_URL or DATA_DIR is unsafe, why, and what mends it; changes nothing
  latchkey token issue --subject NAME [--claims JSON]
                            a fresh pair from the running service, with ISSUER_TOKEN or dev's own credential
  latchkey token inspect TOKEN
                            what a token says, and whether the running service takes it; - reads standard input
  latchkey keys list        the keys in JWT_KEYS_DIR (or dev's own): which signs, which verify, which may go
  latchkey keys generate [--algorithm ES256|RS256]
                            the first key of an empty folder
  latchkey keys rotate [--algorithm ES256|RS256]
                            a new key: it verifies at once, and signs after JWT_KEY_DELAY
  latchkey keys retire KID [--compromised]
                            removes a key once no token of it can be alive; a compromised one at once
  latchkey --help | --version

Settings are environment variables; the README lists them all.
`;
