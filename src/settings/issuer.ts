// The settings of IssuerService's callers: credentials, and names of client certificates.

import { oddEnds } from '../platform/env/odd-ends.js';
import { type Environment, Secret } from '../platform/env.js';

/** The least length of an issuer credential, characters. */
export const MIN_ISSUER_TOKEN = 32;
/** Whether gRPC metadata can carry a credential unchanged: printable ASCII, without white space at its ends. */
export const isSendable = (token: string): boolean => /^[!-~](?:[ -~]*[!-~])?$/.test(token);

/** The allowed callers of IssuerService. Without any, the service is not registered. */
export interface IssuerSettings {
  /** ISSUER_TOKEN, if it is usable. */
  readonly issuerToken: Secret | undefined;
  /** Further valid credentials, for a rotation without interruption. */
  readonly otherIssuerTokens: readonly Secret[];
  /** The credentials that are good for RevokeSubject alone: REVOKER_TOKEN, and others for a rotation. */
  readonly revokerTokens: readonly Secret[];
  /** Names of client certificates whose holders need no credential. */
  readonly issuerClientNames: readonly string[];
}

/** @param short whether a credential that is too short is a fault or counts as none; @param asksClients mTLS is on */
export function readIssuer(env: Environment, short: 'fault' | 'none', asksClients: boolean): IssuerSettings {
  const otherIssuerTokens = readOthers(env, 'ISSUER_TOKENS');
  const issuerClientNames = readClientNames(env, asksClients);
  // If other callers are configured, an ignored credential would go unnoticed until its owner's calls fail.
  const alone = otherIssuerTokens.length === 0 && issuerClientNames.length === 0;
  const issuerToken = readToken(env, alone ? short : 'fault');
  const revokerToken = readRevokerToken(env);
  const revokerTokens = [...(revokerToken ? [revokerToken] : []), ...readOthers(env, 'REVOKER_TOKENS')];
  return { issuerToken, otherIssuerTokens, revokerTokens, issuerClientNames };
}

/**
 * The credential of a gateway that revokes subjects: the service accepts it for RevokeSubject, the gateway sends it.
 */
export function readRevokerToken(env: Environment): Secret | undefined {
  const wanted = `at least ${MIN_ISSUER_TOKEN} characters of printable ASCII without blanks at its ends`;
  const isGood = (text: string): boolean => isSendable(text) && text.length >= MIN_ISSUER_TOKEN;
  return env.secret('REVOKER_TOKEN', { wantedOf: (text) => (isGood(text) ? undefined : wanted) });
}

function readToken(env: Environment, short: 'fault' | 'none'): Secret | undefined {
  const wanted = 'printable ASCII without blanks at its ends, for gRPC carries nothing else';
  const wantedOf = (text: string) => (isSendable(text) ? undefined : wanted);
  const token = env.secret('ISSUER_TOKEN', { wantedOf });
  if (!token) return undefined;
  const { length } = token.reveal();
  if (isSendable(token.reveal()) && length < MIN_ISSUER_TOKEN && short === 'fault') {
    env.fault('ISSUER_TOKEN', `${length} characters`, `at least ${MIN_ISSUER_TOKEN}, or unset: \`dev\` then makes one`);
  }
  return length >= MIN_ISSUER_TOKEN ? token : undefined;
}

function readOthers(env: Environment, name: 'ISSUER_TOKENS' | 'REVOKER_TOKENS'): readonly Secret[] {
  const text = env.secret(name, { ends: 'own' })?.reveal();
  if (text === undefined) return [];
  const tokens = text
    .split(',')
    // Removes spaces and tabs only: any other character at an end is a mistake, and is reported.
    .map((token) => token.replace(/^[ \t]+|[ \t]+$/g, ''))
    .filter((token) => token !== '');
  const wanted = `credentials of at least ${MIN_ISSUER_TOKEN} characters, comma separated: printable ASCII without blanks`;
  if (tokens.length === 0) env.fault(name, 'no credential', wanted);
  for (const [index, token] of tokens.entries()) {
    const number = `number ${index + 1}`;
    if (!/^[!-~]*$/.test(token)) {
      const odd = oddEnds(token);
      env.fault(name, `one that has ${odd ?? 'other characters'} (${number})`, wanted);
    } else if (token.length < MIN_ISSUER_TOKEN) {
      env.fault(name, `one that is too short (${number})`, wanted);
    } else {
      env.warnOfEnds(name, token, number);
    }
  }
  // Quotes around the list would be part of its first and last credential.
  if (tokens.length > 1) env.warnOfEnds(name, text.trim());
  return tokens.map((token) => new Secret(token));
}

function readClientNames(env: Environment, asksClients: boolean): readonly string[] {
  const names = env.list('ISSUER_CLIENT_NAMES');
  const text = env.text('ISSUER_CLIENT_NAMES');
  const wanted = 'DNS names or URIs of client certificates, comma separated, each to the letter: no *, no blanks';
  if (text !== undefined && names.length === 0) env.fault('ISSUER_CLIENT_NAMES', JSON.stringify(text), wanted);
  for (const name of names) {
    if (!/^[!-~]+$/.test(name) || /[*"]/.test(name)) env.fault('ISSUER_CLIENT_NAMES', JSON.stringify(name), wanted);
  }
  if (names.length > 0 && !asksClients) {
    env.fault('GRPC_TLS_CLIENT_CA', 'nothing', 'the CA of the client certificates that ISSUER_CLIENT_NAMES names');
  }
  return names;
}
