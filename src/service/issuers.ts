// The callers of IssuerService that the settings allow, and the warning about a listener without TLS.

import type { IssuerOptions } from '../grpc/server.js';
import type { Logger } from '../platform/log.js';
import type { ServiceSettings } from '../settings/service.js';

/** The allowed callers of IssuerService; undefined: there are none, and the service is off. */
export function issuerOf(settings: ServiceSettings): IssuerOptions | undefined {
  const { issuerToken, otherIssuerTokens, issuerClientNames: clientNames, issuerAddress: address } = settings;
  const { revokerTokens: revokers } = settings;
  const credentials = [...(issuerToken ? [issuerToken] : []), ...otherIssuerTokens];
  if (credentials.length + clientNames.length + revokers.length === 0) return undefined;
  return { credentials, revokers, clientNames, address };
}

/** Reminds the operator of what GRPC_INSECURE allows. */
export function warnExposed(settings: ServiceSettings, log: Logger): void {
  const { exposed } = settings.tls;
  if (exposed.length === 0) return;
  const { credentials = [], revokers = [] } = issuerOf(settings) ?? {};
  const credential = credentials.length + revokers.length > 0;
  const inClear = credential && exposed.includes(settings.issuerAddress ? 'ISSUER_ADDRESS' : 'GRPC_ADDRESS');
  const text = 'other machines can reach gRPC in plain text (GRPC_INSECURE=true): tokens travel unencrypted';
  log.warn({ exposed }, inClear ? `${text}, and so does the issuer's credential` : text);
}
