// Checks of the Helm chart. `npm run test:deploy` runs them.
// helm and the schemas of Kubernetes accept it, it refuses what is not safe, and the program runs by its settings.

import { cpSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { rules } from '../alerts/prometheus.js';
import { readText, tablesBelow } from '../docs/markdown.js';
import { Stage } from '../e2e/stage.js';
import { freePort } from '../support/free-ports.js';
import { ISSUER_TOKEN, runCommand, start } from '../support/processes.js';
import { type Container, KUBERNETES, lint, manifests, template, validate } from './chart.js';

const VALUES = ['minimal', 'full'];

/** The one container of a Deployment. */
function containerOf(values: string, name: string): Container {
  const found = manifests(values).find(
    ({ kind, metadata }) => kind === 'Deployment' && metadata.name === `demo-latchkey-${name}`,
  );
  if (!found?.spec.template) throw new Error(`there is no Deployment for ${name}`);
  return found.spec.template.spec.containers[0];
}

describe('the Helm chart', function () {
  this.timeout(120_000);

  for (const values of VALUES) {
    it(`passes helm lint, and the schemas of Kubernetes, with ${values}.yaml`, () => {
      const { status, stdout } = lint(values);
      expect(status, stdout).to.equal(0);
      // The operator of Prometheus brings the schema of this one.
      const own = manifests(values).filter(({ kind }) => kind !== 'ServiceMonitor');
      for (const version of KUBERNETES) {
        const validated = validate(own, version);
        expect(validated.status, `${validated.stdout}${validated.stderr}`).to.equal(0);
      }
    });
  }

  it('has what a production needs, and no Secret', () => {
    const kinds = (values: string) => manifests(values).map(({ kind, metadata }) => `${kind} ${metadata.name}`);
    const both = (kind: string) => [`${kind} demo-latchkey-serve`, `${kind} demo-latchkey-gateway`];
    const always = ['Deployment', 'Service', 'NetworkPolicy', 'PodDisruptionBudget'].flatMap(both);
    expect(kinds('minimal')).to.have.members(always);
    expect(kinds('full')).to.have.members([...always, ...['HorizontalPodAutoscaler', 'ServiceMonitor'].flatMap(both)]);
  });

  it('runs every pod with few rights', () => {
    const pods = VALUES.flatMap((values) => manifests(values)).flatMap(({ spec }) => spec.template?.spec ?? []);
    expect(pods).to.have.length(4);
    for (const { automountServiceAccountToken, securityContext, containers } of pods) {
      expect(automountServiceAccountToken).to.equal(false);
      expect(securityContext).to.include({ runAsNonRoot: true, runAsUser: 1000 });
      expect(containers).to.have.length(1);
      expect(containers[0].securityContext).to.deep.equal({
        ...{ allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: { drop: ['ALL'] } },
      });
    }
  });

  for (const [fault, values, sets] of [
    ['serve.redis.secret.name', 'minimal', ['serve.redis.secret.name=']],
    ['serve.keys.secret.name', 'minimal', ['serve.keys.secret.name=']],
    ['serve.tls.secret.name', 'minimal', ['serve.tls.insecure=false']],
    ['gateway.tls.caSecret.name', 'minimal', ['serve.tls.secret.name=tls']],
    ['gateway.tls.secret.name', 'full', ['gateway.tls.secret.name=']],
    ['JWT_SECRET is set by the chart', 'minimal', ['serve.settings.JWT_SECRET=x']],
    ["'replica' not allowed", 'minimal', ['serve.replica=5']],
  ] as const) {
    it(`says what is missing or wrong: ${fault}`, () => {
      const { status, stderr } = template({ values, sets });
      expect(status).to.equal(1);
      expect(stderr).to.include(fault);
    });
  }

  it('sets only settings that are documented for the command, each once', () => {
    const page = readText('docs/configuration.md');
    const named = (heading: string) => tablesBelow(page, heading).map(([cell = '']) => cell.replaceAll('`', ''));
    const of = { serve: named('## Settings of the service'), gateway: named('## Settings of the gateway') };
    const both = named('## Settings of both');
    for (const values of VALUES) {
      for (const name of ['serve', 'gateway'] as const) {
        const set = containerOf(values, name).env.map((each) => each.name);
        expect(set.filter((each) => ![...of[name], ...both].includes(each))).to.deep.equal([]);
        expect(set).to.have.length(new Set(set).size);
      }
    }
  });

  it('hands settings on as they are written, large numbers too', () => {
    const settings = new Map(containerOf('full', 'serve').env.map(({ name, value }) => [name, value]));
    expect(settings.get('VERIFIED_TOKENS')).to.equal('2000000');
    expect(settings.get('REDIS_MIN_REPLICAS')).to.equal('1');
    expect(settings.get('JWT_AUDIENCE')).to.equal('shop,orders');
  });

  it('has names that every object may have, whatever the release is called', () => {
    for (const release of ['demo', 'latchkey', 'a.b.c', `a${'.long'.repeat(10)}`]) {
      for (const { metadata } of manifests('full', release)) {
        expect(metadata.name).to.match(/^[a-z]([-a-z0-9]{0,61}[a-z0-9])?$/);
      }
    }
  });

  it('is scraped as a job that the alerts look for', () => {
    const [, job = ''] = rules().flatMap(({ expr }) => /^up\{job=~"([^"]+)"\}/.exec(expr) ?? []);
    const all = manifests('full');
    for (const { spec, metadata } of all.filter(({ kind }) => kind === 'ServiceMonitor')) {
      const service = all.find((each) => each.kind === 'Service' && each.metadata.name === metadata.name);
      // Prometheus anchors it.
      expect(service?.metadata.labels[spec.jobLabel ?? '']).to.match(new RegExp(`^(?:${job})$`));
    }
  });

  it('mounts each file that a setting names, where it names it', () => {
    for (const container of VALUES.flatMap((values) => [
      containerOf(values, 'serve'),
      containerOf(values, 'gateway'),
    ])) {
      const folders = (container.volumeMounts ?? []).map(({ mountPath }) => mountPath);
      const files = container.env.map(({ value }) => value).filter((value) => value.startsWith('/run/'));
      expect(new Set(files.map((file) => file.split('/').slice(0, 4).join('/')))).to.deep.equal(new Set(folders));
    }
  });

  it('has settings by which the program runs, and probes that it answers', async () => {
    const stage = new Stage();
    try {
      const secrets = await stage.folder();
      const redis = await stage.redis();
      for (const name of ['redis', 'issuer-token']) mkdirSync(join(secrets, name));
      writeFileSync(join(secrets, 'redis/url'), redis.url, { mode: 0o600 });
      writeFileSync(join(secrets, 'issuer-token/token'), ISSUER_TOKEN, { mode: 0o600 });
      const made = join(await stage.folder(), 'keys');
      await runCommand(['keys', 'generate'], { JWT_KEYS_DIR: made });
      cpSync(made, join(secrets, 'keys'), { recursive: true });

      const serve = await settingsOf(containerOf('minimal', 'serve'), secrets);
      const service = await start('serve', 'service listening', { env: serve.env });
      stage.owns(() => service.kill());
      const gateway = await settingsOf(containerOf('minimal', 'gateway'), secrets);
      const env = { ...gateway.env, AUTH_SERVICE_ADDRESS: `127.0.0.1:${serve.ports.get('grpc')}` };
      const started = await start('gateway', 'gateway listening', { env });
      stage.owns(() => started.kill());

      for (const { container, ports } of [serve, gateway]) {
        for (const { httpGet } of [container.startupProbe, container.readinessProbe, container.livenessProbe]) {
          const { status } = await fetch(`http://127.0.0.1:${ports.get(httpGet.port)}${httpGet.path}`);
          expect(status, httpGet.path).to.equal(200);
        }
        expect((await fetch(`http://127.0.0.1:${ports.get('metrics')}/metrics`)).status).to.equal(200);
      }
      const issuer = stage.client(`127.0.0.1:${serve.ports.get('issuer')}`);
      const { refreshToken } = await issuer.issue('alice', {}, ISSUER_TOKEN);
      const body = JSON.stringify({ refresh: refreshToken });
      const url = `http://127.0.0.1:${gateway.ports.get('http')}/api/auth/token/refresh/`;
      const headers = { 'content-type': 'application/json' };
      expect((await fetch(url, { method: 'POST', headers, body })).status).to.equal(200);
    } finally {
      await stage.clear();
    }
  });
});

/** The settings of a container, with its secrets in a folder and its ports free ones of this machine. */
async function settingsOf(container: Container, secrets: string) {
  const ports = new Map<string, number>();
  const env: Record<string, string> = {};
  for (const { name } of container.ports) ports.set(name, await freePort());
  for (const { name, value } of container.env) {
    const port = container.ports.find(({ containerPort }) => value === `0.0.0.0:${containerPort}`);
    env[name] = port ? `127.0.0.1:${ports.get(port.name)}` : value.replace('/run/secrets', secrets);
  }
  return { container, env, ports };
}
