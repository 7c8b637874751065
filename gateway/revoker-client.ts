// The client of RevokeSubject, a method of IssuerService, with a credential that only that method accepts.

import {
  IssuerServiceClient,
  IssuerServiceService,
  type RevokeSubjectResponse,
} from '../proto/gen/auth/v1/issuer_service.js';
import type { Secret } from '../src/platform/env.js';
import type { CallContext, ServiceConnection } from './service-connection.js';

export class RevokerClient {
  readonly #connection: ServiceConnection;
  readonly #issuer: IssuerServiceClient;
  readonly #credential: Secret;

  constructor(connection: ServiceConnection, credential: Secret) {
    this.#connection = connection;
    this.#issuer = connection.client(IssuerServiceClient);
    this.#credential = credential;
  }

  /** Ends all sessions of a subject. @throws RpcError */
  async revokeSubject(subject: string, context: CallContext): Promise<void> {
    await this.#connection.call<RevokeSubjectResponse>(
      IssuerServiceService.revokeSubject,
      context,
      (...call) => this.#issuer.revokeSubject({ subject }, ...call),
      this.#credential.reveal(),
    );
  }
}
