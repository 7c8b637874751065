// The key by which others verify what a signing key has signed: its public half, or the secret itself.

import { createPublicKey, type KeyObject } from 'node:crypto';
import type { SigningKey } from '../../src/adapters/jwt/signing-key.js';

export const verificationKeyOf = ({ algorithm, sign }: Pick<SigningKey, 'algorithm' | 'sign'>): KeyObject =>
  algorithm === 'HS256' ? sign : createPublicKey(sign);
