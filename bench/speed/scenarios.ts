// The list of scenarios, in the order in which they run.

import type { Scenario } from './scenario.js';
import { batchScenario } from './scenarios/batch.js';
import { guardScenario } from './scenarios/guard.js';
import { h2loadScenario } from './scenarios/h2load.js';
import { issueScenario } from './scenarios/issue.js';
import { logoutScenario } from './scenarios/logout.js';
import { peerScenario } from './scenarios/peer.js';
import { refreshScenario } from './scenarios/refresh.js';
import { restScenario } from './scenarios/rest.js';
import { sizesScenario } from './scenarios/sizes.js';
import { newTokensScenario, validateScenario } from './scenarios/validate.js';
import { workersScenario } from './scenarios/workers.js';

export const SCENARIOS: readonly Scenario[] = [
  validateScenario,
  h2loadScenario,
  newTokensScenario,
  batchScenario,
  refreshScenario,
  logoutScenario,
  issueScenario,
  restScenario,
  guardScenario,
  sizesScenario,
  workersScenario,
  peerScenario,
];
