// OpenTelemetry's SDK as an operator loads it: before the program, by `NODE_OPTIONS='--import …'`.

import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { BatchSpanProcessor, NodeTracerProvider } from '@opentelemetry/sdk-trace-node';

// The exporter reads OTEL_EXPORTER_OTLP_ENDPOINT.
const processor = new BatchSpanProcessor(new OTLPTraceExporter(), { scheduledDelayMillis: 20 });
new NodeTracerProvider({ spanProcessors: [processor] }).register();
