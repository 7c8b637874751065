// The hooks around all tests: each process of the program is checked for lines that its log did not write.
//
// Mocha loads this module once in each of its processes, and runs the hooks in each file: a hook that a module registers
// by itself would run in the first file alone, since a module is loaded once.

import { checkOutputs, expectNoForeignLines } from './process-output.js';

export const mochaHooks: Mocha.RootHookObject = {
  afterEach(this: Mocha.Context): void {
    checkOutputs(this.currentTest?.fullTitle() ?? '');
  },
  afterAll(): void {
    checkOutputs('a hook at the end');
    expectNoForeignLines();
  },
};
