// The translation of the core's introspection to its message in the contract.

import type { IntrospectTokenResponse } from '../../../proto/gen/auth/v1/auth_service.js';
import { TokenProblem } from '../../../proto/gen/auth/v1/token.js';
import type { TokenProblem as Problem } from '../../core/token/errors.js';
import type { Introspection } from '../../core/use-cases/introspect.js';

export const introspectionMessage = ({ problem, response, jwt = '' }: Introspection): IntrospectTokenResponse => ({
  active: problem === undefined,
  problem: problem === undefined ? TokenProblem.TOKEN_PROBLEM_UNSPECIFIED : codeOf(problem),
  response,
  jwt,
});

const codeOf = (problem: Problem): TokenProblem => TokenProblem[`TOKEN_PROBLEM_${problem}`];
