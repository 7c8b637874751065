// A receiver of OTLP over HTTP with JSON, as a collector is: it keeps the spans that real processes send.

import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { until } from '../support/waiting.js';

const SDK = new URL('./sdk.js', import.meta.url).href;

/** A span as OTLP has it (opentelemetry/proto/trace/v1/trace.proto, in JSON). */
export interface SentSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  /** 2: server, 3: client. */
  readonly kind: number;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly attributes: readonly { readonly key: string; readonly value: Readonly<Record<string, unknown>> }[];
  /** The code 2 is an error. */
  readonly status: { readonly code?: number };
}

interface Sent {
  readonly resourceSpans: readonly { readonly scopeSpans: readonly { readonly spans: readonly SentSpan[] }[] }[];
}

export const attributesOf = ({ attributes }: SentSpan): Record<string, unknown> =>
  Object.fromEntries(attributes.map(({ key, value }) => [key, Object.values(value)[0]]));

export class OtlpReceiver {
  readonly spans: SentSpan[] = [];
  /** All that was received, as text. */
  text = '';
  readonly #server: Server;

  private constructor() {
    this.#server = createServer(async (request, response) => {
      let body = '';
      for await (const chunk of request) body += chunk;
      this.text += body;
      const { resourceSpans } = JSON.parse(body) as Sent;
      this.spans.push(...resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap(({ spans }) => spans)));
      response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
    });
  }

  static async start(): Promise<OtlpReceiver> {
    const receiver = new OtlpReceiver();
    receiver.#server.listen(0, '127.0.0.1');
    await once(receiver.#server, 'listening');
    return receiver;
  }

  /** The environment of a process whose spans come here. */
  get env(): Readonly<Record<string, string>> {
    const { port } = this.#server.address() as AddressInfo;
    return { NODE_OPTIONS: `--import ${SDK}`, OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}` };
  }

  /** The spans of a trace, each after its parent, then by their starts, once there are as many of them. */
  async trace(traceId: string, count: number): Promise<readonly SentSpan[]> {
    const found = () => this.spans.filter((span) => span.traceId === traceId);
    await until(() => found().length >= count);
    const spans = found();
    // Starts of two processes are by two clocks.
    const depth = ({ parentSpanId }: SentSpan): number => {
      const parent = spans.find(({ spanId }) => spanId === parentSpanId);
      return parent ? depth(parent) + 1 : 0;
    };
    const start = ({ startTimeUnixNano }: SentSpan): number => Number(BigInt(startTimeUnixNano) / 1000n);
    return spans.sort((a, b) => depth(a) - depth(b) || start(a) - start(b));
  }

  /** The first span of a name, once it is here. */
  async named(name: string): Promise<SentSpan> {
    const found = () => this.spans.find((span) => span.name === name);
    await until(() => found() !== undefined);
    return found() as SentSpan;
  }

  stop(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }
}
