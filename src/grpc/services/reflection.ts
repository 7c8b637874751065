// Server reflection, so that tools such as grpcurl need no .proto file. It has limits, because it needs no credential.
// https://github.com/grpc/grpc/blob/master/doc/server-reflection.md

import { status } from '@grpc/grpc-js';
import {
  ServerReflectionService as Definition,
  type ServerReflectionRequest,
  type ServerReflectionResponse,
} from '../../../proto/gen/grpc/reflection/v1/reflection.js';
import type { Admission } from '../admission/admission.js';
import { callAdmission } from '../admission/call-admission.js';
import { OVERLOADED } from '../status.js';
import { failure } from '../transport/head.js';
import { StatusError, type StreamingCall } from '../transport/method.js';
import type { Routes } from '../transport/routes.js';
import { Descriptors } from './descriptors.js';

/** Room for the name of a symbol or file. */
const MAX_REQUEST_BYTES = 1024;
/** A client requests each service and each type once. */
const MAX_REQUESTS = 1_000;
const MAX_STREAM_MS = 60_000;
/** Concurrent streams, over all listeners of a server. */
const MAX_STREAMS = 16;

type Stream = StreamingCall<ServerReflectionRequest, ServerReflectionResponse>;
type ResponseBody = Omit<ServerReflectionResponse, 'validHost' | 'originalRequest'>;

export interface ReflectionLimits {
  readonly maxRequests: number;
  readonly maxStreamMs: number;
  readonly maxStreams: number;
}

const LIMITS: ReflectionLimits = { maxRequests: MAX_REQUESTS, maxStreamMs: MAX_STREAM_MS, maxStreams: MAX_STREAMS };

export class Reflection {
  readonly #admission: Admission;
  readonly #limits: ReflectionLimits;
  readonly #descriptors: Descriptors;
  #streams = 0;

  /** @param admission counts each request as a call under way */
  constructor(admission: Admission, limits = LIMITS, descriptors = new Descriptors()) {
    this.#admission = admission;
    this.#limits = limits;
    this.#descriptors = descriptors;
  }

  /**
   * Adds grpc.reflection.v1 and v1alpha, whose messages are the same.
   * @param services the full names of the services on this listener
   */
  addTo(routes: Routes, services: readonly string[]): void {
    const handlers = { serverReflectionInfo: (call: Stream) => this.#serve(call, services) };
    const rules = {
      maxRequestBytes: MAX_REQUEST_BYTES,
      admission: {
        ...callAdmission(this.#admission),
        open: () => this.#streams < this.#limits.maxStreams && this.#admission.open(false),
        // A stream never waits for a place: a client that needs the contract can retry.
        wait: (_path: string, waiting: { refuse(): void }) => this.#admission.refuse(waiting),
      },
    };
    const { serverReflectionInfo } = Definition;
    const path = serverReflectionInfo.path.replace('.v1.', '.v1alpha.');
    routes.add(Definition, handlers, rules);
    routes.add({ serverReflectionInfo: { ...serverReflectionInfo, path } }, handlers, rules);
  }

  async #serve(call: Stream, services: readonly string[]): Promise<void> {
    this.#streams++;
    const timer = setTimeout(() => call.end(failure(status.DEADLINE_EXCEEDED, TOO_LONG)), this.#limits.maxStreamMs);
    try {
      for (let count = 0; ; count++) {
        const request = await call.read();
        if (!request) return;
        if (count >= this.#limits.maxRequests) throw new StatusError(failure(status.RESOURCE_EXHAUSTED, TOO_MANY));
        const admitted = this.#admission.begin();
        if (!admitted) throw new StatusError(OVERLOADED);
        let body: ResponseBody;
        try {
          body = this.#answer(request, services);
          // One request per turn of the event loop, so that other calls run in between.
          await new Promise(setImmediate);
        } finally {
          admitted.end();
        }
        // The next request is read once this response is on its way, so responses do not pile up for a slow reader.
        await call.write({ validHost: request.host, originalRequest: request, ...body });
      }
    } finally {
      clearTimeout(timer);
      this.#streams--;
    }
  }

  #answer(request: ServerReflectionRequest, services: readonly string[]): ResponseBody {
    const { fileByFilename, fileContainingSymbol, fileContainingExtension, listServices } = request;
    if (listServices !== undefined) return { listServicesResponse: { service: services.map((name) => ({ name })) } };
    if (fileByFilename !== undefined) return this.#files(fileByFilename, fileByFilename);
    if (fileContainingSymbol !== undefined) {
      return this.#files(this.#descriptors.fileOf(fileContainingSymbol), fileContainingSymbol);
    }
    if (fileContainingExtension) return notFound(`an extension of ${fileContainingExtension.containingType}`);
    const { allExtensionNumbersOfType: type } = request;
    if (type === undefined) {
      return { errorResponse: { errorCode: status.INVALID_ARGUMENT, errorMessage: 'the request asks for nothing' } };
    }
    if (this.#descriptors.fileOf(type) === undefined) return notFound(type);
    return { allExtensionNumbersResponse: { baseTypeName: type, extensionNumber: [] } };
  }

  #files(name: string | undefined, asked: string): ResponseBody {
    const files = name === undefined ? undefined : this.#descriptors.withImports(name);
    return files ? { fileDescriptorResponse: { fileDescriptorProto: [...files] } } : notFound(asked);
  }
}

const notFound = (asked: string): ResponseBody => ({
  errorResponse: { errorCode: status.NOT_FOUND, errorMessage: `there is no ${asked} here` },
});

const TOO_LONG = 'the reflection stream has reached its time limit: open another one';
const TOO_MANY = 'the reflection stream has reached its limit of requests: open another one';
