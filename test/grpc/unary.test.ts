// Owns the proof that a call is counted out however its handler ends.

import { credentials, Server, ServerCredentials } from '@grpc/grpc-js';
import { expect } from 'chai';
import { HealthClient, HealthService } from '../../proto/gen/grpc/health/v1/health.js';
import { StoreUnavailable } from '../../src/core/errors.js';
import type { SessionId } from '../../src/core/session.js';
import { GivenUp } from '../../src/grpc/status.js';
import { type Handler, Unary } from '../../src/grpc/unary.js';
import { createLogger } from '../../src/log.js';

type Line = Readonly<Record<string, unknown>>;

/** Makes one call of a handler. @returns what the caller heard, if not OK, and what the log did */
async function callOnce(handler: Handler<object, { status: number }>): Promise<{ heard?: string; lines: Line[] }> {
  const lines: Line[] = [];
  const destination = { write: (line: string) => void lines.push(JSON.parse(line) as Line) };
  const log = createLogger({ name: 'test', level: 'info', destination });
  const unary = new Unary(log, { mayBegin: () => true, takeTokens: () => true, giveBack: () => {} });
  const server = new Server();
  server.addService({ check: HealthService.check }, { check: unary.handle('Check', handler) });
  const port = await new Promise<number>((resolve, reject) =>
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
      error ? reject(error) : resolve(bound),
    ),
  );
  const client = new HealthClient(`127.0.0.1:${port}`, credentials.createInsecure());
  try {
    const heard = await new Promise<string | undefined>((resolve) =>
      client.check({ service: '' }, (error) => resolve(error?.message)),
    );
    expect(unary.underWay).to.equal(0);
    return { ...(heard === undefined ? {} : { heard }), lines };
  } finally {
    client.close();
    server.forceShutdown();
  }
}

const SESSION = '01a2038e-b8de-7de1-aa89-17de32c8f14e' as SessionId;
const STARTED = { event: 'session_started', subject: 'alice', sessionId: SESSION, generation: 0 } as const;
const ENDED = { event: 'session_ended', subject: 'alice', sessionId: SESSION, cause: 'logout' } as const;

describe('the frame around a call', () => {
  it('answers INTERNAL for a handler that fails at once, says why in the log, and holds nothing', async () => {
    const { heard, lines } = await callOnce(() => {
      throw new Error('broken');
    });
    expect(heard).to.equal('13 INTERNAL: internal error; the log has the cause');
    expect(lines).to.have.length(1);
    expect(lines[0]).to.deep.nested.include({ level: 'error', method: 'Check', 'err.message': 'broken' });
  });

  it('tells an event for the audit on the line of the call, and what came before it on lines of their own', async () => {
    const { lines } = await callOnce(async (_request, call) => {
      call.audit(STARTED);
      call.audit(ENDED);
      return { status: 1 };
    });
    expect(lines.map(({ msg, audit }) => ({ msg, audit }))).to.deep.equal([
      { msg: 'session_started', audit: STARTED },
      { msg: 'call', audit: ENDED },
    ]);
    expect(lines[1]).to.include({ status: 'OK', sessionId: SESSION });
    expect(lines[0]?.['requestId']).to.be.a('string').and.equal(lines[1]?.['requestId']);
  });

  it('tells an event also where the line of the call is not written, or the call fails', async () => {
    const failing = (error: Error) =>
      callOnce(async (_request, call) => {
        call.audit(ENDED);
        throw error;
      });
    const { lines: quiet } = await failing(new GivenUp());
    expect(quiet.map(({ msg, audit }) => ({ msg, audit }))).to.deep.equal([{ msg: 'session_ended', audit: ENDED }]);
    const { lines: failed } = await failing(new StoreUnavailable('it is away'));
    expect(failed.map(({ level, msg, audit }) => ({ level, msg, audit }))).to.deep.equal([
      { level: 'warn', msg: 'call', audit: ENDED },
    ]);
  });
});
