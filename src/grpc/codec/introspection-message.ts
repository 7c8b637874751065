// The translation of the core's introspection to its message in the contract.

import type { IntrospectTokenResponse } from '../../../proto/gen/auth/v1/auth_service.js';
import { TokenProblem } from '../../../proto/gen/auth/v1/token.js';
import type { TokenProblem as Problem } from '../../core/token/errors.js';
import type { Introspection } from '../../core/use-cases/introspect.js';

export const introspectionMessage = (introspection: Introspection): IntrospectTokenResponse => ({
  active: introspection.active,
  problem: introspection.active ? TokenProblem.TOKEN_PROBLEM_UNSPECIFIED : codeOf(introspection.problem),
  response: introspection.response,
  jwt: introspection.jwt ?? '',
});

const codeOf = (problem: Problem): TokenProblem => TokenProblem[`TOKEN_PROBLEM_${problem}`];
