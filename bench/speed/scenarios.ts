// Owns the list of scenarios, in the order in which they run.

import type { Scenario } from './scenario.js';
import { refreshScenario } from './scenarios/refresh.js';
import { newTokensScenario, validateScenario } from './scenarios/validate.js';

export const SCENARIOS: readonly Scenario[] = [validateScenario, newTokensScenario, refreshScenario];
