// Owns the proof that a call is counted out however its handler ends.

import { credentials, Server, ServerCredentials } from '@grpc/grpc-js';
import { expect } from 'chai';
import { HealthClient, HealthService } from '../../proto/gen/grpc/health/v1/health.js';
import { Unary } from '../../src/grpc/unary.js';
import { createLogger } from '../../src/log.js';

describe('the frame around a call', () => {
  it('answers INTERNAL for a handler that fails at once, says why in the log, and holds nothing', async () => {
    const lines: Record<string, unknown>[] = [];
    const destination = { write: (line: string) => void lines.push(JSON.parse(line)) };
    const log = createLogger({ name: 'test', level: 'info', destination });
    const unary = new Unary(log, { mayBegin: () => true, takeTokens: () => true, giveBack: () => {} });
    const server = new Server();
    const check = unary.handle<object, never>('Check', () => {
      throw new Error('broken');
    });
    server.addService({ check: HealthService.check }, { check });
    const port = await new Promise<number>((resolve, reject) =>
      server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
        error ? reject(error) : resolve(bound),
      ),
    );
    const client = new HealthClient(`127.0.0.1:${port}`, credentials.createInsecure());
    try {
      const message = await new Promise((resolve) => client.check({ service: '' }, (error) => resolve(error?.message)));
      expect(message).to.equal('13 INTERNAL: internal error; the log has the cause');
      expect(lines).to.have.length(1);
      expect(lines[0]).to.deep.nested.include({ level: 'error', method: 'Check', 'err.message': 'broken' });
      expect(unary.underWay).to.equal(0);
    } finally {
      client.close();
      server.forceShutdown();
    }
  });
});
