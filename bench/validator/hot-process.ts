// One of many processes with a validator: a few hot tokens, validated at a steady rate.

import { createValidator } from '../../src/validator/create-validator.js';

/** What the parent hands over. */
export interface HotWork {
  readonly address: string;
  readonly tokens: readonly string[];
  readonly perS: number;
}

export interface HotReport {
  readonly requests: number;
  /** Requests that the validator could not answer at once. */
  readonly waited: number;
  /** Of these, the ones without an answer. */
  readonly failed: number;
  readonly asks: number;
  readonly calls: number;
}

const TICK_MS = 10;

async function work({ address, tokens, perS }: HotWork): Promise<void> {
  const validator = createValidator({ address, maxStaleness: '2s', deadline: '5s' });
  await validator.ready('60s');
  let [requests, waited, failed, from, next] = [0, 0, 0, validator.state(), 0];
  const tick = (): void => {
    for (let n = 0; n < (perS * TICK_MS) / 1000; n++) {
      const token = Buffer.from(tokens[next++ % tokens.length] ?? '').toString('latin1');
      requests++;
      if (validator.validateNow(token)?.active) continue;
      waited++;
      validator.validate(token).catch(() => failed++);
    }
  };
  process.on('message', (message) => {
    if (message === 'begin') setInterval(tick, TICK_MS);
    if (message === 'count') {
      [requests, waited, failed] = [0, 0, 0];
      from = validator.state();
    }
    if (message !== 'end') return;
    const { asks, calls } = validator.state();
    const report: HotReport = { requests, waited, failed, asks: asks - from.asks, calls: calls - from.calls };
    process.send?.(report);
  });
  process.send?.('ready');
}

process.once('message', (message) => void work(message as HotWork));
