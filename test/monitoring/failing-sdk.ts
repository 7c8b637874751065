// A module that is loaded before the program: an SDK of OpenTelemetry that fails at the end of each span.

import { NodeTracerProvider, type SpanProcessor } from '@opentelemetry/sdk-trace-node';

const failing: SpanProcessor = {
  onStart: () => {},
  onEnd: () => {
    throw new Error('the end of a span fails');
  },
  forceFlush: async () => {},
  shutdown: async () => {},
};

new NodeTracerProvider({ spanProcessors: [failing] }).register();
