// The JOSE header of our tokens.

import { typOf } from '../../../core/token/claims.js';
import type { TokenKind } from '../../../core/token/token.js';
import type { Algorithm } from './algorithm.js';
import { encodePart } from './compact.js';

/** The header of a token of ours, base64url. The same input gives the same text. */
export const headerOf = (kind: TokenKind, kid: string, algorithm: Algorithm): string =>
  headerWith(typOf(kind), kid, algorithm);

/** A header with any `typ`. */
export const headerWith = (typ: string, kid: string, algorithm: Algorithm): string =>
  encodePart(JSON.stringify({ alg: algorithm, typ, kid }));
