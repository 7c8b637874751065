// `npm run bench:doors`: what guarded requests through Envoy and nginx cost, against the same proxies without a guard.

import { RunningProxy } from '../../test/doors/proxy.js';
import { LoadProcess } from '../load/load-process.js';
import type { Work } from '../load/work.js';
import { Cleanup, endWithChildren } from '../machine/cleanup.js';
import { leaveServerCore } from '../machine/cores.js';
import { facts } from '../machine/facts.js';
import { cpuMsOf } from '../machine/usage.js';
import { startAllow, startShop } from '../servers/bare.js';
import type { Child } from '../servers/child.js';
import { startGateway, startServe } from '../servers/latchkey.js';
import { Lab } from '../speed/lab.js';
import { tokenOf } from '../speed/tokens.js';
import { allowingAnswer } from './allowing-answer.js';
import { type Door, ECHO, type Round, rows, UNGUARDED_ENVOY, UNGUARDED_NGINX } from './table.js';

const CONNECTIONS = 32;
const HOT_TOKENS = 200;
/** Of fewer the median varies by a fifth. */
const ROUNDS = 15;
const ROUND_MS = 2_000;
/** How many requests each door has had before the rounds: the engine has compiled what is used by then. */
const WARM_REQUESTS = 20_000;
const SEED = 20_261;
const ANSWER = Buffer.from('{"orders":[]}');

/** The recipes without what guards the route. */
const unguardedEnvoy = (recipe: string): string =>
  recipe.replace(/ {18}- name: envoy\.filters\.http\.ext_authz\n(?: {20,}.*\n)+/, '');
const unguardedNginx = (recipe: string): string => kept(recipe.replace(/ +auth_request \/.*\n/, ''));
/** nginx closes a connection after a thousand requests, and the load does not connect again. */
const kept = (recipe: string): string => recipe.replace('server {', 'server {\n    keepalive_requests 100000000;');

async function measure(door: Door, load: LoadProcess): Promise<Round> {
  const { gateway, service } = door;
  const cpuMs = (child: Child | undefined): number => (child ? cpuMsOf(child.pid) : 0);
  const before = [cpuMs(service), cpuMs(gateway)] as const;
  const { begun, counts, tookMs } = await load.run({
    ...{ kind: 'closed', atOnce: CONNECTIONS, warmMs: 0, countedMs: ROUND_MS },
  });
  if (counts.answered < begun)
    throw new Error(`${door.name}: ${begun - counts.answered} of ${begun} got no right answer`);
  return {
    requests: begun,
    perS: (begun / tookMs) * 1000,
    serveUs: ((cpuMs(service) - before[0]) * 1000) / begun,
    gatewayUs: ((cpuMs(gateway) - before[1]) * 1000) / begun,
  };
}

async function bench(lab: Lab, cleanup: Cleanup): Promise<void> {
  const { env, keys } = lab.keys.ES256;
  const store = await lab.store('redis', lab.sizes.few);
  const service = await startServe({ folder: lab.folder, env: { ...env, ...store.env, EXT_AUTHZ: 'true' } });
  cleanup.add(() => service.stop());
  const upstream = await startShop(lab.folder);
  cleanup.add(() => upstream.stop());
  const gatewayWith = async (more: Readonly<Record<string, string>>): Promise<Child> => {
    const gateway = await startGateway(lab.folder, service, more);
    cleanup.add(() => gateway.stop());
    return gateway;
  };
  const strict = await gatewayWith({});
  const bounded = await gatewayWith({ CHECK_MAX_STALENESS: '1s' });
  const tokens = lab.fresh(HOT_TOKENS).map((session) => tokenOf('access', session, keys));
  const allow = await startAllow(lab.folder, await allowingAnswer(service, tokens[0] ?? ''));
  cleanup.add(() => allow.stop());
  const proxyTo = async (
    name: 'Envoy, gRPC' | 'nginx',
    gateway: Child,
    edit?: (recipe: string) => string,
    decides = service,
  ) => {
    const ports = { gateway: gateway.port, service: decides.port, upstream: upstream.port };
    const proxy = await RunningProxy.start(name, ports, edit);
    cleanup.add(() => proxy.stop());
    return proxy;
  };
  const doors: readonly Door[] = [
    { name: UNGUARDED_ENVOY, proxy: await proxyTo('Envoy, gRPC', strict, unguardedEnvoy), service },
    { name: ECHO, proxy: await proxyTo('Envoy, gRPC', strict, undefined, allow), service: allow },
    { name: 'Envoy, ext_authz', proxy: await proxyTo('Envoy, gRPC', strict), service },
    { name: UNGUARDED_NGINX, proxy: await proxyTo('nginx', strict, unguardedNginx), service },
    { name: 'nginx, check, strict', proxy: await proxyTo('nginx', strict, kept), service, gateway: strict },
    { name: 'nginx, check, staleness 1 s', proxy: await proxyTo('nginx', bounded, kept), service, gateway: bounded },
  ];
  const work: Work = {
    kind: 'fixed',
    route: { protocol: 'http', path: '/orders', headers: {}, bearer: true },
    messages: tokens.map((token) => Buffer.from(token)),
    expected: [{ bytes: ANSWER, whole: true }],
    order: 'in turn',
  };
  const loads = new Map<Door, LoadProcess>();
  for (const door of doors) {
    const load = await LoadProcess.start({
      ...{ host: '127.0.0.1', port: door.proxy.port, seed: SEED, connections: CONNECTIONS, protocol: 'http' },
    });
    cleanup.add(() => load.stop());
    await load.take(work);
    loads.set(door, load);
  }
  const rounds = new Map<Door, Round[]>(doors.map((door) => [door, []]));
  for (const [door, load] of loads) {
    for (let requests = 0; requests < WARM_REQUESTS; ) requests += (await measure(door, load)).requests;
  }
  for (let round = 0; round < ROUNDS; round++) {
    for (const [door, load] of loads) rounds.get(door)?.push(await measure(door, load));
  }
  for (const line of rows(rounds)) process.stdout.write(`${line}\n`);
}

leaveServerCore();
endWithChildren();
const { machine, versions, placed } = facts();
process.stdout.write(`- Machine: ${machine}; ${placed}. The proxies are beside the load, ours beside the upstream.
- Versions: ${versions}.

| door | requests/s | of the same proxy without a guard | gRPC server, CPU µs a request | of the one that always allows | gateway, CPU µs a request |
|---|---|---|---|---|---|
`);
const lab = await Lab.open({ only: undefined, rounds: 1, seconds: 1, quick: true, peer: false });
const cleanup = new Cleanup();
try {
  await bench(lab, cleanup);
} finally {
  await cleanup.run();
  await lab.close();
}
