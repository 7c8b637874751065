// The public URLs of the OAuth endpoints, by the issuer and the settings (RFC 8414, section 3).

import type { Environment } from '../../src/platform/env.js';
import { isLoopback } from '../../src/settings/tls.js';

/** What the metadata is published by. */
export interface PublicUrls {
  /** `iss` of our tokens, to the letter. */
  readonly issuer: string;
  /** The path of the metadata of this issuer at the gateway. */
  readonly metadataPath: string;
  /** What the paths of the endpoints are appended to, without a slash at its end. */
  readonly base: string;
}

const WELL_KNOWN = '/.well-known/oauth-authorization-server';
/** Segments that clients and proxies never encode. Routers use `:` and `*`. */
const PATH = /^(?:\/[A-Za-z0-9._~-]+)*\/?$/;

/**
 * Reads `OAUTH_BASE_URL`. The environment collects the errors.
 * @returns undefined if the issuer is no https URL: then there is no URL to publish the metadata at
 */
export function readPublicUrls(environment: Environment, issuer: string | undefined): PublicUrls | undefined {
  const base = readBase(environment);
  const url = issuer !== undefined && URL.canParse(issuer) ? new URL(issuer) : undefined;
  if (issuer === undefined || url?.protocol !== 'https:' || !isBare(url, issuer)) return undefined;
  // The issuer's path comes after the well-known one, without a slash at its end.
  const metadataPath = `${WELL_KNOWN}${url.pathname.replace(/\/$/, '')}`;
  return { issuer, metadataPath, base: base ?? url.origin };
}

function readBase(environment: Environment): string | undefined {
  const text = environment.text('OAUTH_BASE_URL');
  if (text === undefined) return undefined;
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const isSecure = url?.protocol === 'https:' || (url?.protocol === 'http:' && isLoopback(bareHost(url)));
  if (url && isSecure && isBare(url, text)) return text.replace(/\/$/, '');
  const wanted = 'a URL such as https://api.example.com/auth, without query; http:// for this machine alone';
  environment.fault('OAUTH_BASE_URL', JSON.stringify(text), wanted);
  return undefined;
}

/** Whether a URL has nothing but an origin and a plain path, and is written as it is parsed. */
const isBare = (url: URL, text: string): boolean =>
  url.href.replace(/\/$/, '') === text.replace(/\/$/, '') &&
  `${url.username}${url.password}${url.search}${url.hash}` === '' &&
  !/[?#]$/.test(text) &&
  PATH.test(url.pathname);

const bareHost = ({ hostname }: URL): string => hostname.replace(/^\[|\]$/g, '');
