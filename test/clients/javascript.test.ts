// Tests that the one section of docs/clients.md whose client is not built makes a client that works on a running service.

import { itRunsTheCommandsOf } from './page-clients.js';

describe('the page on clients', function () {
  this.timeout(300_000);
  itRunsTheCommandsOf(['JavaScript without generated code']);
});
