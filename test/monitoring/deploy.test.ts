// Tests that what is shipped for Prometheus and Grafana asks for what real processes have, and is documented.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { rules } from '../alerts/prometheus.js';
import { codeOf, ROOT, readText, tableBelow } from '../docs/markdown.js';
import { pairIn } from '../e2e/browser.js';
import { Stage } from '../e2e/stage.js';
import { until } from '../support/waiting.js';
import { type Labels, Scrape, SEEN, scrape } from './scrape.js';

interface Dashboard {
  readonly panels: readonly { readonly title: string; readonly targets: readonly { readonly expr: string }[] }[];
}
const dashboard = JSON.parse(readFileSync(join(ROOT, 'deploy/grafana/latchkey.json'), 'utf8')) as Dashboard;
const panels = dashboard.panels.flatMap(({ title, targets }) => targets.map(({ expr }) => [title, expr] as const));
const expressions = [...panels, ...rules().map(({ alert, expr }) => [alert, expr] as const)];

/** The series of an expression, each with the labels that it selects by, names alone. */
function selectorsIn(expr: string): { readonly name: string; readonly labels: readonly string[] }[] {
  const found = expr.matchAll(/\b((?:latchkey|process|nodejs)_\w+)(?:\{([^}]*)\})?/g);
  return [...found].map(([, name = '', inside = '']) => ({
    name,
    labels: [...inside.matchAll(/(\w+)(?:=~|!~|!=|=)"/g)].map(([, label = '']) => label),
  }));
}

/**
 * The series of which a range is selected, each as its name and labels: one for each alternative of `=~"a|b"`.
 * @param call what is made of the range, such as `increase`
 */
function rangesOf(call: string, expr: string): (readonly [name: string, labels: Labels])[] {
  const found = expr.matchAll(new RegExp(`${call}\\(\\s*(\\w+)(?:\\{([^}]*)\\})?\\[`, 'g'));
  return [...found].flatMap(([, name = '', inside = '']) => {
    let all: Labels[] = [{}];
    for (const [, label = '', values = ''] of inside.matchAll(/(\w+)=~?"([^"]*)"/g)) {
      all = all.flatMap((labels) => values.split('|').map((value) => ({ ...labels, [label]: value })));
    }
    return all.map((labels) => [name, labels] as const);
  });
}

/** What Prometheus itself adds. */
const ADDED = ['job', 'instance'];

describe('what is shipped for Prometheus and Grafana', () => {
  const stage = new Stage();
  let metrics: Scrape;
  /** Of a service that has served no call. */
  let fresh: Scrape;
  before(async () => {
    const keys = join(await stage.folder(), 'keys');
    const { generateKey } = await import('../../src/adapters/jwt/key-files.js');
    generateKey(keys, 'one');
    const node = await stage.serve(await stage.folder(), { ...SEEN, JWT_KEYS_DIR: keys, JWT_SECRET: '' });
    fresh = await scrape(node.process);
    const browser = await stage.gateway(node, { METRICS_ADDRESS: '127.0.0.1:0' });
    pairIn(await browser.refresh((await node.client.issue()).refreshToken));
    await until(async () => (await scrape(browser.process)).text.includes('status="200"'));
    const [service, gateway] = [await scrape(node.process), await scrape(browser.process)];
    metrics = new Scrape(`${service.text}\n${gateway.text}`, service.contentType);
  });
  after(() => stage.clear());

  it('asks only for series that real processes have, by labels that these have', () => {
    expect(expressions.length).to.be.above(25);
    for (const [title, expr] of expressions) {
      const selectors = selectorsIn(expr);
      if (!expr.startsWith('up')) expect(selectors, title).not.to.deep.equal([]);
      for (const { name, labels } of selectors) {
        const series = metrics.series.find((line) => line.startsWith(`${name}{`) || line === name);
        expect(series, `${title}: ${name}`).to.be.a('string');
        const unknown = labels.filter((label) => !ADDED.includes(label) && !series?.includes(`${label}="`));
        expect(unknown, `${title}: ${name}`).to.deep.equal([]);
      }
    }
  });

  it('alerts of the first event of a kind: its series is there before it, since Prometheus sees no increase in a new one', () => {
    const ranges = rules().flatMap(({ expr }) => [...rangesOf('increase', expr), ...rangesOf('rate', expr)]);
    const ofService = ranges.filter(([name]) => !name.startsWith('latchkey_http_') && !name.endsWith('_bucket'));
    expect(ofService.length).to.be.above(8);
    const missing = ofService.filter(([name, labels]) => fresh.value(name, labels) === undefined);
    expect(missing).to.deep.equal([]);
  });

  it('groups by labels that one of its series has', () => {
    for (const [title, expr] of expressions) {
      const grouped = [...expr.matchAll(/\b(?:by|on) \(([^)]*)\)/g)].flatMap(([, names = '']) => names.split(/,\s*/));
      for (const label of grouped.filter((each) => !ADDED.includes(each))) {
        const found = selectorsIn(expr).some(({ name }) =>
          metrics.series.some((line) => line.startsWith(`${name}{`) && line.includes(`${label}="`)),
        );
        expect(found, `${title}: ${label}`).to.equal(true);
      }
    }
  });

  it('has an entry for each alert in docs/alerts.md, with its severity, and no entry without an alert', () => {
    const entries = readText('docs/alerts.md').split(/^## /m).slice(1);
    const documented = entries.map((entry) => [/^\w+/.exec(entry)?.[0], /^\*\*(\w+)\.\*\*/m.exec(entry)?.[1]]);
    expect(documented).to.deep.equal(rules().map(({ alert, labels }) => [alert, labels['severity']]));
    for (const { alert, annotations } of rules()) {
      expect(annotations['runbook']).to.equal(`docs/alerts.md#${alert.toLowerCase()}`);
    }
  });

  it('is about metrics that docs/monitoring.md has, all of them, with their labels', () => {
    const documented = tableBelow(readText('docs/monitoring.md'), '## Metrics').map(([name, labels = '']) => [
      codeOf(name),
      [...labels.matchAll(/`(\w+)`/g)].map(([, label]) => label).join(),
    ]);
    const families = [...metrics.text.matchAll(/^# TYPE (latchkey_\w+) /gm)].map(([, name = '']) => name);
    const labelsOf = (family: string): string => {
      const line =
        metrics.series.find((each) => each.startsWith(`${family}{`) || each.startsWith(`${family}_bucket{`)) ?? '';
      return [...line.matchAll(/(\w+)="/g)]
        .map(([, label]) => label)
        .filter((label) => label !== 'le')
        .join();
    };
    const found = [...new Set(families)].map((family) => [family, labelsOf(family)]);
    expect(documented.sort()).to.deep.equal(found.sort());
  });
});
