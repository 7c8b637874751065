// The text that `latchkey dev` prints: the addresses, a new pair of tokens, and commands that work as printed.

import type { TokenPair } from '../../proto/gen/auth/v1/token.js';
import { formatDuration } from '../platform/env.js';
import type { ServiceSettings } from '../settings/service.js';
import type { ClientTls } from '../settings/tls.js';

export interface WelcomeSettings extends Pick<ServiceSettings, 'store' | 'policy'> {
  /** The issuer credential as a shell expression within double quotes. */
  readonly credential: string;
  /** TLS for calls to the gRPC listeners; undefined: plain text. */
  readonly clientTls?: ClientTls | undefined;
}

/** `host:port` of each listener. */
export interface WelcomeAddresses {
  readonly grpc: string;
  readonly issuer: string;
  readonly http: string;
  /** Undefined: they are not served. */
  readonly metrics?: string | undefined;
}

export function welcome(
  subject: string,
  pair: TokenPair,
  addresses: WelcomeAddresses,
  { store, policy, credential, clientTls }: WelcomeSettings,
): string {
  const { grpc, issuer, http, metrics } = addresses;
  const kept = store.kind === 'redis' ? 'Redis' : `the embedded store in ${store.dataDir}`;
  const both = `gRPC   ${grpc}   AuthService, IssuerService, reflection, health`;
  const apart = `gRPC   ${grpc}   AuthService, reflection, health
  gRPC   ${issuer}   IssuerService, reflection, health`;
  const flags = grpcurlFlags(clientTls);
  const curl = (path: string, body: unknown): string =>
    `curl -s http://${http}/api/auth/${path} -H 'Content-Type: application/json' -d '${JSON.stringify(body)}'`;
  const grpcurl = (method: string, request: unknown): string =>
    `grpcurl ${flags} -d '${JSON.stringify(request)}' ${grpc} auth.v1.AuthService/${method}`;
  const issue = [
    ...[`grpcurl ${flags}`, `-H "authorization: Bearer ${credential}"`],
    ...[`-d '${JSON.stringify({ subject: 'bob', claims: { role: 'editor' } })}'`, issuer],
    'auth.v1.IssuerService/IssueToken',
  ].join(' ');
  return `Latchkey is ready, on ${kept}.

  ${grpc === issuer ? both : apart}
  HTTP   http://${http}   POST /api/auth/token/refresh/, POST /api/auth/logout/, GET /.well-known/jwks.json${metrics === undefined ? '' : `\n         http://${metrics}/metrics   for Prometheus`}

A fresh pair for the subject "${subject}":

  access   ${pair.accessToken}

  refresh  ${pair.refreshToken}

Is the access token good?

${grpcurl('ValidateToken', { access_token: pair.accessToken })}

Trade the refresh token for the next pair (again within ${formatDuration(policy.graceMs)}: the same session and generation):

${curl('token/refresh/', { refresh: pair.refreshToken })}

Log out, then validate again:

${curl('logout/', { refresh: pair.refreshToken })}

Start a session, as a login back end does once it has checked a password:

${issue}

Look around:

grpcurl ${flags} ${grpc} list
grpcurl ${flags} ${grpc} describe auth.v1.AuthService

`;
}

/** A text in single quotes for a shell: paths come from the operator, and users paste the lines. */
export const quotedForShell = (text: string): string => `'${text.replaceAll("'", String.raw`'\''`)}'`;

function grpcurlFlags(tls: ClientTls | undefined): string {
  if (!tls) return '-plaintext';
  const { cert, key, ca } = tls.files;
  const flags = { '-cacert': ca, '-cert': cert, '-key': key, '-authority': tls.name };
  return Object.entries(flags)
    .flatMap(([flag, value]) => (value === undefined ? [] : [`${flag} ${quotedForShell(value)}`]))
    .join(' ');
}
