// Spans by OpenTelemetry's API. The SDK that records and sends them is the operator's; without one nothing is recorded.

import {
  type Attributes,
  type Context,
  context,
  diag,
  INVALID_SPAN_CONTEXT,
  ProxyTracerProvider,
  propagation,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  type Tracer,
  trace,
} from '@opentelemetry/api';
import type { TraceHeaders } from './trace-context.js';

type ReadHeader = (name: string) => string | undefined;

/** How far the clock of spans may be from the machine's before it is set, ms: more than the rounding of `Date.now`. */
const MOST_DRIFT_MS = 2;

/**
 * The machine's clock, to a microsecond. The SDK's own start of a span is in whole milliseconds: a command of Redis
 * could seem to begin before the call that sent it.
 */
class SpanClock {
  #offsetMs = performance.timeOrigin;

  /** Unix ms, with fractions. */
  now(): number {
    const [monotonicMs, wallMs] = [performance.now(), Date.now()];
    if (Math.abs(wallMs - monotonicMs - this.#offsetMs) > MOST_DRIFT_MS) this.#offsetMs = wallMs - monotonicMs;
    return monotonicMs + this.#offsetMs;
  }
}

const clock = new SpanClock();

/** Used where the SDK failed to begin a span. */
const NO_SPAN = trace.wrapSpanContext(INVALID_SPAN_CONTEXT);

/** The SDK is the operator's code: its errors must not fail a request, or keep the place of a call. */
function tolerant<Result>(step: () => Result, otherwise: Result): Result {
  try {
    return step();
  } catch (error) {
    diag.error('latchkey: the SDK of OpenTelemetry failed', error);
    return otherwise;
  }
}

/** How a traced operation ended. */
export interface SpanEnd {
  readonly attributes?: Attributes;
  /** The kind of the error, of few values; undefined: it succeeded, or the caller made the mistake. */
  readonly error?: string | undefined;
}

/** One operation in a trace. */
export class TracedOperation {
  readonly #span: Span;
  readonly #context: Context;

  constructor(span: Span, parent: Context) {
    this.#span = span;
    this.#context = trace.setSpan(parent, span);
  }

  get traceId(): string {
    return this.#span.spanContext().traceId;
  }

  /** Runs a step. The operations that it begins, also later, become parts of this one. */
  run<Result>(step: () => Result): Result {
    return context.with(this.#context, step);
  }

  /** The headers for a call to another process. */
  headers(): TraceHeaders {
    const headers: Record<string, string> = {};
    tolerant(() => propagation.inject(this.#context, headers), undefined);
    return headers;
  }

  /** Begins a call to another process. */
  beginCall(tracing: Tracing, name: string, attributes: Attributes): TracedOperation {
    return tracing.begin(name, SpanKind.CLIENT, attributes, this.#context);
  }

  end({ attributes, error }: SpanEnd = {}): void {
    tolerant(() => {
      if (attributes) this.#span.setAttributes(attributes);
      if (error !== undefined) {
        this.#span.setAttribute('error.type', error);
        this.#span.setStatus({ code: SpanStatusCode.ERROR });
      }
      this.#span.end(clock.now());
    }, undefined);
  }
}

export class Tracing {
  readonly #tracer: Tracer;

  private constructor(tracer: Tracer) {
    this.#tracer = tracer;
  }

  /** @returns undefined: no SDK has registered itself */
  static find(): Tracing | undefined {
    const provider = trace.getTracerProvider();
    const none = new ProxyTracerProvider().getDelegate();
    if (provider instanceof ProxyTracerProvider && provider.getDelegate() === none) return undefined;
    return new Tracing(trace.getTracer('latchkey'));
  }

  /** Begins the handling of a request. @param header reads the headers that may name the caller's trace */
  beginRequest(name: string, attributes: Attributes, header: ReadHeader): TracedOperation {
    const getter = { keys: () => [], get: (_none: unknown, key: string) => header(key) };
    const parent = tolerant(() => propagation.extract(ROOT_CONTEXT, undefined, getter), ROOT_CONTEXT);
    return this.begin(name, SpanKind.SERVER, attributes, parent);
  }

  /** Begins an operation of the current request. @returns undefined outside of requests */
  beginStep(name: string, attributes: Attributes): TracedOperation | undefined {
    const parent = context.active();
    return trace.getSpan(parent) && this.begin(name, SpanKind.CLIENT, attributes, parent);
  }

  begin(name: string, kind: SpanKind, attributes: Attributes, parent: Context): TracedOperation {
    const start = () => this.#tracer.startSpan(name, { kind, attributes, startTime: clock.now() }, parent);
    return new TracedOperation(tolerant(start, NO_SPAN), parent);
  }

  /** Runs a step that belongs to no request, because it serves several. */
  untraced<Result>(step: () => Result): Result {
    return context.with(ROOT_CONTEXT, step);
  }
}
