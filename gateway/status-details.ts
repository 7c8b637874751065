// The details of a failed call: the google.rpc.Status in its metadata, decoded.

import type { Metadata } from '@grpc/grpc-js';
import {
  BadRequest,
  type BadRequest_FieldViolation,
  ErrorInfo,
  RetryInfo,
} from '../proto/gen/google/rpc/error_details.js';
import { Status } from '../proto/gen/google/rpc/status.js';
import { retryDelayMs } from '../src/platform/retry-delay.js';

/** The machine-readable part of a failure. */
export interface StatusDetails {
  readonly info?: ErrorInfo;
  readonly violations: readonly BadRequest_FieldViolation[];
  /** When to retry, ms from now. */
  readonly retryMs?: number | undefined;
}

const NONE: StatusDetails = { violations: [] };

/** Reads the details. Missing or unreadable details give an empty result. */
export function readStatusDetails(metadata: Metadata): StatusDetails {
  const [packed] = metadata.get('grpc-status-details-bin');
  if (!(packed instanceof Buffer)) return NONE;
  try {
    return Status.decode(packed).details.reduce(add, NONE);
  } catch {
    return NONE;
  }
}

function add(details: StatusDetails, { typeUrl, value }: { typeUrl: string; value: Buffer }): StatusDetails {
  switch (typeUrl.slice(typeUrl.lastIndexOf('/') + 1)) {
    case 'google.rpc.ErrorInfo':
      return { ...details, info: ErrorInfo.decode(value) };
    case 'google.rpc.BadRequest':
      return { ...details, violations: BadRequest.decode(value).fieldViolations };
    case 'google.rpc.RetryInfo':
      return { ...details, retryMs: retryDelayMs(RetryInfo.decode(value)) };
    default:
      return details;
  }
}
