// A client of Envoy's external authorization, for tests: it asks as Envoy does, and shows what Envoy would do.

import { credentials, Metadata, type ServiceError } from '@grpc/grpc-js';
import {
  AuthorizationClient,
  type CheckRequest,
  type CheckResponse,
  type DeniedHttpResponse,
  type HeaderValueOption,
} from '../../proto/gen/envoy/service/auth/v3/external_auth.js';

/** A decision, its headers by name. */
export interface Decision {
  readonly code: number;
  readonly kind: 'ok' | 'denied' | 'error';
  readonly httpStatus: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly removed: readonly string[];
  readonly body: string;
  readonly metadata: Readonly<Record<string, unknown>> | undefined;
}

export interface Asked {
  readonly headers?: Readonly<Record<string, string>>;
  /** As Envoy sends them where `encode_raw_headers` is on. */
  readonly rawHeaders?: readonly (readonly [string, string])[];
  readonly audience?: string;
}

export class ExtAuthzClient {
  readonly #client: AuthorizationClient;

  constructor(address: string) {
    this.#client = new AuthorizationClient(address, credentials.createInsecure());
  }

  /** @throws ServiceError of grpc-js */
  async check({ headers = {}, rawHeaders, audience }: Asked): Promise<Decision> {
    const headerMap = rawHeaders && {
      headers: rawHeaders.map(([key, value]) => ({ key, value: '', rawValue: Buffer.from(value, 'latin1') })),
    };
    const request: CheckRequest = {
      attributes: {
        request: { http: { headers, headerMap } },
        contextExtensions: audience === undefined ? {} : { audience },
      },
    };
    return decisionOf(await this.#send(request));
  }

  /** A Check without any attribute. @throws ServiceError of grpc-js */
  async checkNothing(): Promise<Decision> {
    return decisionOf(await this.#send({ attributes: undefined }));
  }

  close(): void {
    this.#client.close();
  }

  #send(request: CheckRequest): Promise<CheckResponse> {
    return new Promise((resolve, reject) => {
      const done = (error: ServiceError | null, response: CheckResponse) => (error ? reject(error) : resolve(response));
      this.#client.check(request, new Metadata(), { deadline: Date.now() + 30_000 }, done);
    });
  }
}

function decisionOf({ status, okResponse, deniedResponse, errorResponse, dynamicMetadata }: CheckResponse): Decision {
  if (!status) throw new Error('a response without a status lets every request through');
  const refused: DeniedHttpResponse | undefined = deniedResponse ?? errorResponse;
  return {
    code: status.code,
    kind: okResponse ? 'ok' : deniedResponse ? 'denied' : 'error',
    httpStatus: refused?.status?.code ?? 200,
    headers: byName(refused?.headers ?? okResponse?.headers ?? []),
    removed: okResponse?.headersToRemove ?? [],
    body: refused?.body ?? '',
    metadata: dynamicMetadata,
  };
}

const byName = (options: readonly HeaderValueOption[]): Record<string, string> =>
  Object.fromEntries(options.map(({ header }) => [header?.key ?? '', header?.value ?? '']));
