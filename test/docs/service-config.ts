// The service config that docs/grpc-api.md gives to clients.

import { readText } from './markdown.js';

/** @returns its JSON, unchanged */
export function serviceConfig(): string {
  const [, text = ''] = /## Retries\n[\s\S]*?```json\n([\s\S]*?)```/.exec(readText('docs/grpc-api.md')) ?? [];
  return text;
}
