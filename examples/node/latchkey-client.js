// A client of Latchkey: one channel that retries, a deadline for each call, and an error class for each kind of failure.

import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { loadPackageDefinition } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { service as HealthService } from 'grpc-health-check';
import { ChannelCredentials, ClientError, createChannel, createClientFactory, Status } from 'nice-grpc';
import { deadlineMiddleware } from 'nice-grpc-client-middleware-deadline';
import { errorDetailsClientMiddleware, RichClientError } from 'nice-grpc-error-details';

/** Covers all attempts of a call together, so that there is time for more than one. */
const DEADLINE_MS = 5_000;
/** How long to wait where the service names no time, ms. */
const RETRY_MS = 1_000;
const UNANSWERED = [Status.UNAVAILABLE, Status.RESOURCE_EXHAUSTED, Status.DEADLINE_EXCEEDED];

const SERVICE_CONFIG = readFileSync(new URL('service-config.json', import.meta.url), 'utf8');
const PROTO = fileURLToPath(new URL('../../proto', import.meta.url));
const { AuthService } = loadPackageDefinition(
  loadSync('auth/v1/auth_service.proto', { includeDirs: [PROTO], longs: Number, enums: String, defaults: true }),
).auth.v1;

/** The token is not good. `reason` is a TokenProblem without its prefix; `endedBy` says what ended a session. */
export class TokenRefused extends Error {
  constructor({ reason, metadata }, cause) {
    super(reason, { cause });
    this.reason = reason;
    this.endedBy = metadata.cause;
  }
}

/** The request breaks the contract. `violations` has the wrong fields, each with a description. */
export class InvalidRequest extends Error {
  constructor({ fieldViolations }, cause) {
    super(fieldViolations.map(({ field, description }) => `${field}: ${description}`).join('; '), { cause });
    this.violations = fieldViolations;
  }
}

/** The service or its store did not answer, which says nothing about the token: keep it, and try again later. */
export class CannotTell extends Error {
  constructor(retryMs, cause) {
    super(`cannot tell; try again in ${retryMs / 1000} s`, { cause });
    this.retryMs = retryMs;
  }
}

/** Calls the service. Make one for the life of the process. */
export class Latchkey {
  #channel;
  #auth;
  #health;

  /** @param ca the file of the CA that signed the service's certificate; undefined: plain text */
  constructor(address, ca) {
    const credentials = ca ? ChannelCredentials.createSsl(readFileSync(ca)) : ChannelCredentials.createInsecure();
    this.#channel = createChannel(address, credentials, { 'grpc.service_config': SERVICE_CONFIG });
    // The last one is the outermost.
    const clients = createClientFactory().use(deadlineMiddleware).use(errorDetailsClientMiddleware).use(withOwnErrors);
    const options = { '*': { deadline: DEADLINE_MS } };
    this.#auth = clients.create(AuthService.service, this.#channel, options);
    this.#health = clients.create(HealthService, this.#channel, options);
  }

  close() {
    this.#channel.close();
  }

  /** Whether the service can answer, and its store too. */
  async isServing() {
    const { status } = await this.#health.Check({});
    return status === 'SERVING';
  }

  /** An inactive token is an answer: `active` is false, and `problem` says why. */
  validate(accessToken) {
    return this.#auth.ValidateToken({ accessToken });
  }

  /** The next pair of the session. Within REFRESH_GRACE, a retry gets the same pair. */
  async refresh(refreshToken) {
    const { tokens } = await this.#auth.RefreshToken({ refreshToken });
    return tokens;
  }

  /** Ends the session, and with it all its tokens. */
  async logout(refreshToken) {
    await this.#auth.Logout({ refreshToken });
  }
}

/** Gives the errors of the library their meaning. */
async function* withOwnErrors(call, options) {
  try {
    return yield* call.next(call.request, options);
  } catch (error) {
    throw meaningOf(error);
  }
}

/** The error for a status and its details; the error itself where there is none. */
function meaningOf(error) {
  if (!(error instanceof ClientError)) return error;
  const details = error instanceof RichClientError ? error.extra : [];
  const detail = (name) => details.find(({ $type }) => $type === `google.rpc.${name}`);
  if (UNANSWERED.includes(error.code)) return new CannotTell(msOf(detail('RetryInfo')?.retryDelay), error);
  const [info, badRequest] = [detail('ErrorInfo'), detail('BadRequest')];
  if (info) return new TokenRefused(info, error);
  return badRequest ? new InvalidRequest(badRequest, error) : error;
}

const msOf = (delay) => (delay ? Number(delay.seconds) * 1000 + delay.nanos / 1e6 : RETRY_MS);
