// Tests that a call is counted out however its handler ends.

import { credentials } from '@grpc/grpc-js';
import { expect } from 'chai';
import { type HealthCheckResponse, HealthClient, HealthService } from '../../proto/gen/grpc/health/v1/health.js';
import { StoreUnavailable } from '../../src/core/errors.js';
import type { SessionId } from '../../src/core/token/session-id.js';
import { Admission } from '../../src/grpc/admission/admission.js';
import type { ServiceCall } from '../../src/grpc/call-context.js';
import { withDecodeErrors } from '../../src/grpc/codec/decoding.js';
import { CallCancelled } from '../../src/grpc/status.js';
import { DEFAULT_LIMITS } from '../../src/grpc/transport/limits.js';
import type { IncomingCall } from '../../src/grpc/transport/method.js';
import { Routes } from '../../src/grpc/transport/routes.js';
import { Transport } from '../../src/grpc/transport/transport.js';
import { type Handler, UnaryHandlers } from '../../src/grpc/unary-handlers.js';
import { createLogger } from '../../src/platform/log.js';
import { RecordingLog } from '../support/recording-log.js';

const admitting = () => new Admission(new RecordingLog(), { maxConcurrentCalls: 1 });

type Line = Readonly<Record<string, unknown>>;

/** Makes one call of a handler. @returns the error that the caller got, if any, and the lines of the log */
async function callOnce(
  handle: (request: object, call: ServiceCall, linesNow: () => Line[]) => Promise<HealthCheckResponse>,
): Promise<{ failure?: string; lines: Line[] }> {
  const lines: Line[] = [];
  const handler: Handler<object, HealthCheckResponse> = (request, call) => handle(request, call, () => [...lines]);
  const destination = { write: (line: string) => void lines.push(JSON.parse(line) as Line) };
  const log = createLogger({ name: 'test', level: 'info', destination });
  const admission = admitting();
  const unary = new UnaryHandlers(log, admission);
  const routes = new Routes();
  const { check } = withDecodeErrors({ check: HealthService.check });
  routes.add({ check }, { check: unary.wrap('Check', handler) }, { maxRequestBytes: 1024 });
  const server = new Transport(log, DEFAULT_LIMITS, undefined);
  server.add('GRPC_ADDRESS', { host: '127.0.0.1', port: 0 }, routes.all);
  const [address] = await server.listen();
  const client = new HealthClient(`127.0.0.1:${address?.port}`, credentials.createInsecure());
  try {
    const failure = await new Promise<string | undefined>((resolve) =>
      client.check({ service: '' }, (error) => resolve(error?.message)),
    );
    expect(admission.underWay).to.equal(0);
    return { ...(failure === undefined ? {} : { failure }), lines };
  } finally {
    client.close();
    server.destroy();
  }
}

const SESSION = '01a2038e-b8de-7de1-aa89-17de32c8f14e' as SessionId;
const STARTED = { event: 'session_started', subject: 'alice', sessionId: SESSION, generation: 0 } as const;
const ENDED = { event: 'session_ended', subject: 'alice', sessionId: SESSION, cause: 'logout' } as const;

describe('the frame around a call', () => {
  it('answers INTERNAL for a handler that fails at once, says why in the log, and holds nothing', async () => {
    const { failure, lines } = await callOnce(() => {
      throw new Error('broken');
    });
    expect(failure).to.equal('13 INTERNAL: internal error; the log has the cause');
    expect(lines).to.have.length(1);
    expect(lines[0]).to.deep.nested.include({ level: 'error', method: 'Check', 'err.message': 'broken' });
  });

  it('logs what every login and refresh brings on the line of the call, and all else at once, on lines of their own', async () => {
    let before: unknown[] = [];
    const { lines } = await callOnce(async (_request, call, linesNow) => {
      call.audit(STARTED);
      call.audit(ENDED);
      before = linesNow().map(({ msg }) => msg);
      return { status: 1 };
    });
    expect(before).to.deep.equal(['session_ended']);
    expect(lines.map(({ msg, audit }) => ({ msg, audit }))).to.deep.equal([
      { msg: 'session_ended', audit: ENDED },
      { msg: 'call', audit: STARTED },
    ]);
    expect(lines[1]).to.include({ status: 'OK', sessionId: SESSION });
    expect(lines[0]?.['requestId']).to.be.a('string').and.equal(lines[1]?.['requestId']);
  });

  it('logs an event also where the line of the call is not written, or the call fails', async () => {
    const failing = (error: Error) =>
      callOnce(async (_request, call) => {
        call.audit(STARTED);
        throw error;
      });
    const { lines: quiet } = await failing(new CallCancelled());
    expect(quiet.map(({ msg, audit }) => ({ msg, audit }))).to.deep.equal([{ msg: 'session_started', audit: STARTED }]);
    const { lines: failed } = await failing(new StoreUnavailable('it is away'));
    expect(failed.map(({ level, msg, audit }) => ({ level, msg, audit }))).to.deep.equal([
      { level: 'warn', msg: 'call', audit: STARTED },
    ]);
  });

  it('logs an event where the answer cannot be given, and one that comes after it', async () => {
    const lines: Line[] = [];
    const destination = { write: (line: string) => void lines.push(JSON.parse(line) as Line) };
    const admission = admitting();
    const unary = new UnaryHandlers(createLogger({ name: 'test', level: 'info', destination }), admission);
    let late: (() => void) | undefined;
    const handle = unary.wrap<object, object>('Check', async (_request, call) => {
      call.audit(STARTED);
      late = () => call.audit(STARTED);
      return {};
    });
    const call: IncomingCall = {
      ...{ path: '/Check', peer: '', deadlineMs: Number.POSITIVE_INFINITY, isCancelled: false },
      header: () => undefined,
      clientNames: () => undefined,
    };
    handle({}, call, () => {
      throw new Error('the connection is gone');
    });
    await admission.idle();
    late?.();
    expect(lines.map(({ msg, audit }) => ({ msg, audit }))).to.deep.equal([
      { msg: 'call', audit: STARTED },
      { msg: 'a call could not be answered', audit: undefined },
      { msg: 'session_started', audit: STARTED },
    ]);
  });
});
