// A real Prometheus that scrapes each second, with our rules in a faster time: their minutes are seconds here.

import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse, stringify } from 'yaml';
import { ROOT } from '../docs/markdown.js';
import { endAtExit } from '../support/children.js';
import { freePort } from '../support/free-ports.js';
import { until } from '../support/waiting.js';

const START_MS = 20_000;

export interface Rule {
  readonly alert: string;
  readonly expr: string;
  readonly for?: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

/** The rules as they are shipped. */
export const rules = (): readonly Rule[] => {
  const file = parse(readFileSync(join(ROOT, 'deploy/prometheus/alerts.yaml'), 'utf8')) as {
    groups: readonly { rules: readonly Rule[] }[];
  };
  return file.groups.flatMap((group) => group.rules);
};

/** A minute becomes a second, in ranges and in `for`. */
const faster = (rule: Rule): Rule => ({
  ...rule,
  expr: rule.expr.replace(/\[(\d+)m\]/g, '[$1s]'),
  ...(rule.for === undefined ? {} : { for: rule.for.replace(/^(\d+)m$/, '$1s') }),
});

/** One line of a graph. */
export interface Line {
  readonly metric: Readonly<Record<string, string>>;
  readonly values: readonly (readonly [number, string])[];
}

export class Prometheus {
  readonly #url: string;
  readonly #child: ChildProcess;
  readonly #folder: string;

  private constructor(url: string, child: ChildProcess, folder: string) {
    this.#url = url;
    this.#child = child;
    this.#folder = folder;
  }

  /** @param targets `host:port` by job */
  static async start(targets: Readonly<Record<string, string>>): Promise<Prometheus> {
    const folder = mkdtempSync(join(tmpdir(), 'latchkey-prometheus-'));
    writeFileSync(
      join(folder, 'rules.yaml'),
      stringify({ groups: [{ name: 'latchkey', rules: rules().map(faster) }] }),
    );
    const jobs = Object.entries(targets).map(([name, target]) => ({
      job_name: name,
      static_configs: [{ targets: [target], labels: { instance: name.replace('latchkey-', '') } }],
    }));
    const config = join(folder, 'prometheus.yaml');
    const every = { scrape_interval: '1s', evaluation_interval: '1s', scrape_timeout: '1s' };
    writeFileSync(config, stringify({ global: every, rule_files: ['rules.yaml'], scrape_configs: jobs }));
    execFileSync('promtool', ['check', 'config', config]);
    const address = `127.0.0.1:${await freePort()}`;
    const options = [`--config.file=${config}`, `--storage.tsdb.path=${join(folder, 'data')}`];
    const child = spawn('prometheus', [...options, `--web.listen-address=${address}`], { stdio: 'ignore' });
    endAtExit(child);
    const prometheus = new Prometheus(`http://${address}`, child, folder);
    const isReady = () =>
      fetch(`http://${address}/-/ready`).then(
        ({ ok }) => ok,
        () => false,
      );
    await until(isReady, START_MS);
    return prometheus;
  }

  /** The names of the alerts that fire. */
  async firing(): Promise<readonly string[]> {
    const { alerts } = (await this.#ask('alerts')) as {
      alerts: readonly { readonly state: string; readonly labels: Readonly<Record<string, string>> }[];
    };
    const names = alerts.filter(({ state }) => state === 'firing').map(({ labels }) => labels['alertname'] ?? '');
    return [...new Set(names)].sort();
  }

  /** The lines of an expression between two times, Unix seconds. */
  async lines(query: string, startS: number, endS: number): Promise<readonly Line[]> {
    const parameters = new URLSearchParams({ query, start: `${startS}`, end: `${endS}`, step: '1' });
    return ((await this.#ask(`query_range?${parameters}`)) as { result: readonly Line[] }).result;
  }

  async stop(): Promise<void> {
    const ended = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await ended;
    rmSync(this.#folder, { recursive: true, force: true });
  }

  async #ask(path: string): Promise<unknown> {
    const answer = (await (await fetch(`${this.#url}/api/v1/${path}`)).json()) as { data?: unknown; error?: string };
    if (answer.data === undefined) throw new Error(`Prometheus refuses ${path}: ${answer.error}`);
    return answer.data;
  }
}
