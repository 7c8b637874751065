// A program that uses the declarations of latchkey/validator, its middlewares and latchkey/browser.

/** Uses each declaration, and fails to compile if one has become `any`. */
export const TYPED = `
import { createSession, type Session, SessionError } from 'latchkey/browser';
import { type ActiveToken, CannotTell, createValidator, type Validation, type Validator } from 'latchkey/validator';
import { authOf as ofExpress, bearerAuth as forExpress } from 'latchkey/validator/express';
import { authOf, bearerAuth, bearerHook } from 'latchkey/validator/fastify';
import { authOf as ofCall, bearerInterceptor } from 'latchkey/validator/grpc';
import { Server, type ServerUnaryCall } from '@grpc/grpc-js';
import express from 'express';
import { fastify } from 'fastify';

type IsAny<T> = 0 extends 1 & T ? true : false;
const typed: [IsAny<Validator>, IsAny<Validation>, IsAny<typeof bearerAuth>, IsAny<Session>] = [false, false, false, false];
const page: Session = createSession({ base: 'https://auth.example.com', mode: 'cookie' });
page.on('signedOut', () => console.log('signed out'));
export const orders = (): Promise<Response> => page.fetch('/orders');
export const isOver = (error: unknown): boolean => error instanceof SessionError && error.code === 'signed_out';
const validator: Validator = createValidator({ address: ['a:1', 'b:1'], audience: 'orders', maxStaleness: '2s', tls: true });
const app = fastify({ logger: true });
await app.register(bearerAuth, { validator, consistency: 'strict' });
app.get('/', { config: { auth: { requiredClaims: ['role'] } } }, async (request) => request.auth?.claims['role']);
app.get('/open', { config: { auth: false } }, async (request) => authOf(request).subject);
app.get('/hook', { preHandler: bearerHook(validator) }, async () => '');
// @ts-expect-error there is no such consistency
app.get('/wrong', { config: { auth: { consistency: 'eventual' } } }, async () => '');
const web = express();
web.use(forExpress(validator, { onError: (reason: Error) => console.error(reason.message) }));
web.get('/', (request, response) => void response.json([request.auth?.subject, ofExpress(request).expiresAt]));
new Server({ interceptors: [bearerInterceptor(validator, { methods: { '/a.B/C': false } })] });
export const subjectOf = (call: ServerUnaryCall<object, object>): string => ofCall(call).subject;
export const described = async (token: string): Promise<string> => {
  try {
    const result = await validator.validate(token, { maxStaleness: '100ms' });
    if (!result.active) return result.problem;
    const { subject, sessionId, tokenId, issuedAt, expiresAt, claims }: ActiveToken = result;
    return [subject, sessionId, tokenId, issuedAt, expiresAt, Object.keys(claims)].join();
  } catch (error) {
    return error instanceof CannotTell ? String(error.retryAfterMs) : 'unexpected';
  }
};
export { typed };
`;
