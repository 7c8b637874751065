// The app that pages of the browser tests belong to: its login, its API, its modules, and the way to the gateway.

import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http';
import { fileURLToPath } from 'node:url';

/** The folder with the modules of `latchkey/browser`, which pages load without a build. */
const LIBRARY = fileURLToPath(new URL('../../src/browser/', import.meta.url));

/** A request to the gateway, and how it was answered. */
export interface Passed {
  readonly method: string;
  readonly path: string;
  readonly host: string;
  /** `Sec-Fetch-Site` */
  readonly site: string | undefined;
  readonly status: number;
  /** The URL of the page. */
  readonly referer: string;
}

export interface AppParts {
  /** The address of a gateway, by the host that a page has asked for. */
  readonly gatewayOf: (host: string) => string;
  /** Logs a user in. @returns the refresh token */
  readonly login: (subject: string) => Promise<string>;
  /** Called with each answer of the gateway. @returns whether the page gets it */
  readonly onAnswer: (passed: Passed) => Promise<boolean>;
}

/** Serves a request of a page; 404 if the app has no such path. */
export async function serveApp(request: IncomingMessage, response: ServerResponse, parts: AppParts): Promise<void> {
  const path = (request.url ?? '').replace(/\?.*$/, '');
  if (path.startsWith('/lib/')) {
    response.writeHead(200, { 'content-type': 'text/javascript' });
    response.end(readFileSync(LIBRARY + path.slice('/lib/'.length)));
  } else if (path === '/login') {
    const refresh = await parts.login(await userOf(request));
    response.writeHead(200, { 'content-type': 'application/json', 'cache-control': 'no-store' });
    response.end(JSON.stringify({ refresh }));
  } else if (path === '/login-with-cookie') {
    await beginSession(request, response, parts);
  } else if (path === '/orders') {
    await serveOrders(request, response, parts);
  } else if (path.startsWith('/api/auth/')) {
    await pass(request, response, path, parts);
  } else {
    response.writeHead(404).end();
  }
}

/** The name in a login: the text of a form's field, or the whole body. */
async function userOf(request: IncomingMessage): Promise<string> {
  const body = await bodyOf(request);
  const type = request.headers['content-type'] ?? '';
  if (!type.startsWith('multipart/')) return body;
  const form = await new Response(body, { headers: { 'content-type': type } }).formData();
  return `${form.get('user')}`;
}

/** A login that keeps the refresh token from the page: it begins the session itself, and passes the cookie on. */
async function beginSession(request: IncomingMessage, response: ServerResponse, parts: AppParts): Promise<void> {
  const refresh = await parts.login(await userOf(request));
  const answer = await fetch(`http://${parts.gatewayOf(request.headers.host ?? '')}/api/auth/session/`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      'x-latchkey-mode': 'cookie',
      'sec-fetch-site': 'same-origin',
    },
    body: JSON.stringify({ refresh }),
  });
  response.writeHead(answer.status, { 'set-cookie': answer.headers.getSetCookie() }).end();
}

/** The API: it has the gateway decide about the token, as a proxy does. */
async function serveOrders({ headers }: IncomingMessage, response: ServerResponse, parts: AppParts): Promise<void> {
  const { authorization = '', host = '' } = headers;
  const { status } = await fetch(`http://${parts.gatewayOf(host)}/api/auth/check`, { headers: { authorization } });
  response.writeHead(status, { 'content-type': 'application/json' }).end('{}');
}

async function pass(
  request: IncomingMessage,
  response: ServerResponse,
  path: string,
  { gatewayOf, onAnswer }: AppParts,
): Promise<void> {
  const { headers, method = '', url } = request;
  const { host = '', referer = '', 'sec-fetch-site': site } = headers;
  const upstream = httpRequest(`http://${gatewayOf(host)}${url}`, { method, headers });
  upstream.end(await bodyOf(request));
  const [answer] = (await once(upstream, 'response')) as [IncomingMessage];
  const text = await bodyOf(answer);
  const status = answer.statusCode ?? 0;
  const isWanted = await onAnswer({
    method,
    path,
    host,
    site: typeof site === 'string' ? site : undefined,
    status,
    referer,
  });
  if (isWanted) response.writeHead(status, answer.headers).end(text);
  else response.destroy();
}

export async function bodyOf(message: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of message) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}
