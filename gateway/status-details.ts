// Owns the reading of a failed call's details: the google.rpc.Status in its metadata.

import type { Metadata } from '@grpc/grpc-js';
import {
  BadRequest,
  type BadRequest_FieldViolation,
  ErrorInfo,
  RetryInfo,
} from '../proto/gen/google/rpc/error_details.js';
import { Status } from '../proto/gen/google/rpc/status.js';

/** What a failed call says for programs. */
export interface Details {
  readonly info?: ErrorInfo;
  readonly violations: readonly BadRequest_FieldViolation[];
  /** When to try again, ms. */
  readonly retryMs?: number;
}

const NONE: Details = { violations: [] };

/** Reads the details; of some that cannot be read, or are not there, nothing is told. */
export function readDetails(metadata: Metadata): Details {
  const [packed] = metadata.get('grpc-status-details-bin');
  if (!(packed instanceof Buffer)) return NONE;
  try {
    return Status.decode(packed).details.reduce(add, NONE);
  } catch {
    return NONE;
  }
}

function add(details: Details, { typeUrl, value }: { typeUrl: string; value: Buffer }): Details {
  switch (typeUrl.slice(typeUrl.lastIndexOf('/') + 1)) {
    case 'google.rpc.ErrorInfo':
      return { ...details, info: ErrorInfo.decode(value) };
    case 'google.rpc.BadRequest':
      return { ...details, violations: BadRequest.decode(value).fieldViolations };
    case 'google.rpc.RetryInfo': {
      const { seconds = 0, nanos = 0 } = RetryInfo.decode(value).retryDelay ?? {};
      return { ...details, retryMs: seconds * 1000 + nanos / 1e6 };
    }
    default:
      return details;
  }
}
