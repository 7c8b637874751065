// A gRPC server before a real service: it refuses the first calls of each method of AuthService, and passes on the rest.

import {
  Client,
  credentials,
  Server,
  ServerCredentials,
  type ServerUnaryCall,
  type ServiceDefinition,
  type ServiceError,
  type sendUnaryData,
} from '@grpc/grpc-js';
import { AuthServiceService } from '../../proto/gen/auth/v1/auth_service.js';
import { HealthService } from '../../proto/gen/grpc/health/v1/health.js';

type Bytes = Buffer;

/** Messages pass as bytes. */
const raw = (bytes: Bytes): Bytes => bytes;

export class RefusingFront {
  readonly #server = new Server();
  readonly #service: Client;
  readonly #attempts = new Map<string, number>();
  readonly #refusalOf: (attempt: number) => ServiceError | undefined;
  address = '';

  /** @param refusalOf the refusal of the nth call of a method, from 1 on; undefined: the call is passed on */
  private constructor(service: string, refusalOf: (attempt: number) => ServiceError | undefined) {
    this.#service = new Client(service, credentials.createInsecure());
    this.#refusalOf = refusalOf;
    this.#serve(AuthServiceService, true);
    this.#serve({ check: HealthService.check }, false);
  }

  static async start(
    service: string,
    refusalOf: (attempt: number) => ServiceError | undefined,
  ): Promise<RefusingFront> {
    const front = new RefusingFront(service, refusalOf);
    const port = await new Promise<number>((resolve, reject) => {
      front.#server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
        error ? reject(error) : resolve(bound),
      );
    });
    front.address = `127.0.0.1:${port}`;
    return front;
  }

  /** How often a method was called, such as `ValidateToken`. */
  attempts(method: string): number {
    return this.#attempts.get(`/auth.v1.AuthService/${method}`) ?? 0;
  }

  stop(): void {
    this.#service.close();
    this.#server.forceShutdown();
  }

  #serve(definition: ServiceDefinition, refuses: boolean): void {
    const methods = Object.entries(definition);
    const asBytes = methods.map(([name, method]) => [
      name,
      { ...method, requestSerialize: raw, requestDeserialize: raw, responseSerialize: raw, responseDeserialize: raw },
    ]);
    const handlers = methods.map(([name, { path }]) => [
      name,
      ({ request }: ServerUnaryCall<Bytes, Bytes>, answer: sendUnaryData<Bytes>): void => {
        const refusal = refuses ? this.#refusal(path) : undefined;
        if (refusal) answer(refusal);
        else this.#service.makeUnaryRequest(path, raw, raw, request, (error, response) => answer(error, response));
      },
    ]);
    this.#server.addService(Object.fromEntries(asBytes), Object.fromEntries(handlers));
  }

  #refusal(path: string): ServiceError | undefined {
    const attempt = (this.#attempts.get(path) ?? 0) + 1;
    this.#attempts.set(path, attempt);
    return this.#refusalOf(attempt);
  }
}
