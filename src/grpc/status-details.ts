// A gRPC status with details that a client can decode (https://grpc.io/docs/guides/error).

import { Metadata, type StatusObject, type status } from '@grpc/grpc-js';
import { Status } from '../../proto/gen/google/rpc/status.js';

/** The domain in our ErrorInfo: it says that the `reason` is one of ours. */
export const DOMAIN = 'latchkey';

export interface Details {
  readonly code: status;
  readonly message: string;
  /** The message's name in google.rpc. */
  readonly type: 'BadRequest' | 'ErrorInfo' | 'RetryInfo';
  /** That message, encoded. */
  readonly value: Uint8Array;
}

export function withDetails({ code, message, type, value }: Details): StatusObject {
  const metadata = new Metadata();
  const details = [{ typeUrl: `type.googleapis.com/google.rpc.${type}`, value: Buffer.from(value) }];
  metadata.set('grpc-status-details-bin', Buffer.from(Status.encode({ code, message, details }).finish()));
  return { code, details: message, metadata };
}
