// Tests that the embedded store does what every store must.

import { describeStoreContract } from '../../contract/store-contract.js';
import { LmdbWorld } from './lmdb-world.js';

describeStoreContract('LMDB', async () => {
  const world = await LmdbWorld.create();
  return {
    open: async () => world.open(),
    pass: async (ms) => world.pass(ms),
    dispose: () => world.dispose(),
  };
});
