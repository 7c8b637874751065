// The responses about access tokens, each encoded once for as long as its verified token stays cached.

import {
  ValidateTokenResponse,
  ValidateTokensResponse,
  type ValidateTokensResult,
} from '../../../proto/gen/auth/v1/auth_service.js';
import { TokenProblem } from '../../../proto/gen/auth/v1/token.js';
import type { Verified } from '../../core/session/verified-token.js';
import type { TokenProblem as Problem } from '../../core/token/errors.js';
import type { Validation } from '../../core/use-cases/validate.js';
import type { BatchResult } from '../../core/use-cases/validate-many.js';
import { RETRY_INFO } from '../status.js';
import { toBuffer } from './bytes.js';
import { identityOf } from './identity.js';

/** A response together with its encodings. Each encoding is made when it is first needed. */
export class ValidationResponse {
  readonly #message: ValidateTokenResponse;
  #single: Buffer | undefined;
  #inBatch: Buffer | undefined;

  constructor(message: ValidateTokenResponse) {
    this.#message = message;
  }

  /** The response of ValidateToken, encoded. */
  get single(): Buffer {
    this.#single ??= toBuffer(ValidateTokenResponse.encode(this.#message).finish());
    return this.#single;
  }

  /** A result of ValidateTokens, encoded as a part of the whole response. */
  get inBatch(): Buffer {
    this.#inBatch ??= encodeResult({ validation: this.#message });
    return this.#inBatch;
  }
}

/** The responses for active tokens, without claims. */
const active = new WeakMap<Verified, ValidationResponse>();
const inactive = new Map<Problem, ValidationResponse>();

export function validationResponse(validation: Validation, includeClaims: boolean): ValidationResponse {
  if (!validation.active) return inactiveResponse(validation.problem);
  const { verified } = validation;
  if (includeClaims) return new ValidationResponse({ ...activeMessage(verified), claims: verified.token.claims });
  const cached = active.get(verified);
  if (cached) return cached;
  const response = new ValidationResponse(activeMessage(verified));
  active.set(verified, response);
  return response;
}

/** A result of a batch, encoded. */
export const batchResult = (verdict: BatchResult, includeClaims: boolean): Buffer =>
  'unavailable' in verdict ? CANNOT_TELL : validationResponse(verdict, includeClaims).inBatch;

/** Concatenated protobuf messages are one message whose lists are concatenated, too: so results encode one by one. */
const encodeResult = (result: ValidateTokensResult): Buffer =>
  toBuffer(ValidateTokensResponse.encode({ results: [result] }).finish());

const CANNOT_TELL = encodeResult({ cannotTell: RETRY_INFO });

const activeMessage = (verified: Verified): ValidateTokenResponse => ({
  ...identityOf(verified),
  active: true,
  problem: TokenProblem.TOKEN_PROBLEM_UNSPECIFIED,
  tokenId: verified.token.id,
  issuedAt: verified.token.issuedAt,
  issuer: verified.token.issuer ?? '',
  audience: [...(verified.token.audience ?? [])],
  claims: undefined,
});

/** For an inactive token only the reason is returned. */
function inactiveResponse(problem: Problem): ValidationResponse {
  const cached = inactive.get(problem);
  if (cached) return cached;
  const empty = { subject: '', sessionId: '', tokenId: '', issuedAt: 0, expiresAt: 0, issuer: '', audience: [] };
  const code = TokenProblem[`TOKEN_PROBLEM_${problem}`];
  const response = new ValidationResponse({ active: false, problem: code, ...empty, claims: undefined });
  inactive.set(problem, response);
  return response;
}
