// A worker that has no service, and answers requests for metrics.

import { PrimaryChannel } from '../../src/workers/primary-channel.js';

const primary = PrimaryChannel.find();
await primary?.takeSecrets();
primary?.onMetricsRequest(() => []);
await primary?.send({ kind: 'listening', addresses: [] });
