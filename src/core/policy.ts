// The settings of all rules.

import type { SessionRules } from './session/rules.js';
import type { TokenRules } from './token/rules.js';

/** The settings of all rules. */
export interface Policy extends TokenRules, SessionRules {}
