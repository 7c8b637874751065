// Owns `latchkey worker`, which `latchkey serve` starts where WORKERS asks for more than one: the service in one of them.

import { Environment } from '../platform/env.js';
import { createLogger } from '../platform/log.js';
import { logOutputTo } from '../platform/output/foreign-output.js';
import { startService } from '../service.js';
import { readLogLevel, readServiceSettings } from '../settings/service.js';
import { PrimaryChannel } from '../workers/primary-channel.js';
import { formatError } from './format-error.js';
import { stopOnSignal } from './shutdown.js';
import { UsageError } from './usage.js';

export async function worker(variables: NodeJS.ProcessEnv): Promise<void> {
  // That one is for the primary. Where a whole group is sent it, workers must not die of it.
  process.on('SIGHUP', () => {});
  const primary = PrimaryChannel.find();
  if (!primary) throw new UsageError('worker is for `serve` alone, which starts as many as WORKERS says');
  try {
    await serveFor(primary, variables);
  } catch (error) {
    // It has it told once, and not by each of us.
    await primary.send({ kind: 'failed', why: formatError(error) });
    process.exit(1);
  }
}

async function serveFor(primary: PrimaryChannel, variables: NodeJS.ProcessEnv): Promise<void> {
  const env = new Environment({ ...variables, ...(await primary.takeSecrets()) });
  const settings = readServiceSettings(env, 'serve', Date.now());
  const level = readLogLevel(env);
  env.forgetSecrets(variables);
  env.check();
  const { worker } = primary;
  const log = createLogger({ name: 'latchkey', level, isShared: true }).child({ worker });
  logOutputTo(log);
  let isStarting = true;
  void primary.end.then((reason) => {
    // Nobody can listen without the primary: this start would never end.
    if (isStarting && reason === 'the primary is gone') process.exit(1);
  });
  const service = await startService(settings, log, worker);
  isStarting = false;
  const stop = stopOnSignal(log, service.stop);
  void primary.end.then(stop);
  await primary.send({ kind: 'listening', addresses: service.addresses });
  await service.reachesStore;
  await primary.send({ kind: 'serving' });
}
