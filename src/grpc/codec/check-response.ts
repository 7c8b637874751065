// The responses of Envoy's external authorization. The response for an active token is encoded once.

import {
  HeaderValueOption_HeaderAppendAction as Append,
  CheckResponse,
  type DeniedHttpResponse,
  type HeaderValueOption,
} from '../../../proto/gen/envoy/service/auth/v3/external_auth.js';
import type { Identity, IdentityHeaders } from '../../bearer/identity-headers.js';
import type { Refusal } from '../../bearer/refusals.js';
import type { Verified } from '../../core/session/verified-token.js';
import { toBuffer } from './bytes.js';
import { identityOf } from './identity.js';

/** Codes of google.rpc.Status (https://github.com/googleapis/googleapis/blob/master/google/rpc/code.proto). */
const OK = 0;
const UNAVAILABLE = 14;
const UNAUTHENTICATED = 16;

const NO_BYTES = Buffer.alloc(0);

/** `keep_empty_value`, since an empty header must overwrite the client's own. */
const headerOf = ([key, value]: readonly [string, string]): HeaderValueOption => ({
  header: { key, value, rawValue: NO_BYTES },
  appendAction: Append.OVERWRITE_IF_EXISTS_OR_ADD,
  keepEmptyValue: true,
});

const NOTHING = {
  status: undefined,
  deniedResponse: undefined,
  okResponse: undefined,
  errorResponse: undefined,
  dynamicMetadata: undefined,
} satisfies CheckResponse;

const statusOf = (code: number, message: string) => ({ code, message, details: [] });

/** Encodes the responses for active tokens. */
export class AllowedResponses {
  readonly #headers: IdentityHeaders;
  readonly #encoded = new WeakMap<Verified, Buffer>();

  constructor(headers: IdentityHeaders) {
    this.#headers = headers;
  }

  /** @param names the names of all headers of the request: those that a server could take for ours are removed */
  for(verified: Verified, names: readonly string[]): Buffer {
    const headersToRemove = this.#headers.aliasesAmong(names);
    if (headersToRemove.length > 0) return this.#encode(identityOf(verified), headersToRemove);
    const cached = this.#encoded.get(verified);
    if (cached) return cached;
    const encoded = this.#encode(identityOf(verified), []);
    this.#encoded.set(verified, encoded);
    return encoded;
  }

  #encode(identity: Identity, headersToRemove: readonly string[]): Buffer {
    const { subject, sessionId, expiresAt } = identity;
    return encode({
      ...NOTHING,
      status: statusOf(OK, ''),
      okResponse: {
        headers: Object.entries(this.#headers.for(identity)).map(headerOf),
        headersToRemove: [...headersToRemove],
      },
      dynamicMetadata: { subject, session_id: sessionId, expires_at: expiresAt },
    });
  }
}

/**
 * The response to a request that is not forwarded.
 * @param isError whether it counts as an error of this service
 */
export function refusedResponse(refusal: Refusal, isError = false): Buffer {
  const code = refusal.status === 503 ? UNAVAILABLE : UNAUTHENTICATED;
  const response: DeniedHttpResponse = {
    status: { code: refusal.status },
    headers: Object.entries({ ...refusal.headers, 'content-type': 'application/json' }).map(headerOf),
    body: JSON.stringify(refusal.body),
  };
  const parts = isError ? { errorResponse: response } : { deniedResponse: response };
  return encode({ ...NOTHING, status: statusOf(code, refusal.body.detail), ...parts });
}

const encode = (response: CheckResponse): Buffer => toBuffer(CheckResponse.encode(response).finish());
