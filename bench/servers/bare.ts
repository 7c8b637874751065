// How the bare servers are started that Latchkey is measured against.

import { fileURLToPath } from 'node:url';
import { type Child, PROFILED, startChild } from './child.js';

const programOf = (name: string): string => fileURLToPath(new URL(name, import.meta.url));

/** @param answers the messages to answer, by the methods' names in the generated code */
export function startEcho(folder: string, answers: Readonly<Record<string, Uint8Array>>): Promise<Child> {
  const texts = Object.entries(answers).map(([name, bytes]) => [name, Buffer.from(bytes).toString('base64')]);
  const args = [...PROFILED, programOf('./echo.js'), JSON.stringify(Object.fromEntries(texts))];
  return startChild({ args, env: {}, folder, ready: 'echo listening' });
}

/** @param answer the response to every Check */
export const startAllow = (folder: string, answer: Uint8Array): Promise<Child> =>
  startChild({
    args: [...PROFILED, programOf('./allow.js'), Buffer.from(answer).toString('base64')],
    env: {},
    folder,
    ready: 'allow listening',
  });

/** @param env the settings of the key and of the store */
export const startLeast = (folder: string, env: Readonly<Record<string, string>>): Promise<Child> => {
  const { REDIS_URL: redisUrl, JWT_SECRET: secret, JWT_KEYS_DIR: keysDir } = env;
  const args = [programOf('./least.js'), JSON.stringify({ redisUrl, secret, keysDir })];
  return startChild({ args, env: {}, folder, ready: 'least listening' });
};

/** @param service guards the route; undefined: it is bare */
export const startShop = (folder: string, service?: Child): Promise<Child> =>
  startChild({
    args: [...PROFILED, programOf('./shop.js'), ...(service ? [`${service.host}:${service.port}`] : [])],
    env: {},
    folder,
    ready: 'shop listening',
  });

export const startRest = (folder: string, service: Child): Promise<Child> =>
  startChild({
    args: [programOf('./rest.js'), `${service.host}:${service.port}`],
    env: {},
    folder,
    ready: 'rest listening',
  });
