// The service config that docs/grpc-api.md gives to clients.

import { readText } from './markdown.js';

/** @returns its JSON, as it stands there */
export function serviceConfig(): string {
  const [, text = ''] = /## Retries\n[\s\S]*?```json\n([\s\S]*?)```/.exec(readText('docs/grpc-api.md')) ?? [];
  return text;
}
