// The scraper of the tests: it reads `/metrics` of a real process as Prometheus would.

import { expect } from 'chai';
import type { Started } from '../support/processes.js';
import { until } from '../support/waiting.js';

/** The settings of a process that tests look into. */
export const SEEN = { METRICS_ADDRESS: '127.0.0.1:0', HEALTH_ADDRESS: '127.0.0.1:0' } as const;

export type Labels = Readonly<Record<string, string>>;

/** One answer of `/metrics`. */
export class Scrape {
  readonly text: string;
  readonly contentType: string;

  constructor(text: string, contentType: string) {
    this.text = text;
    this.contentType = contentType;
  }

  /** The lines of series, without their values. */
  get series(): string[] {
    return this.#lines.map((line) => line.slice(0, line.lastIndexOf(' ')));
  }

  /** The names of all series. */
  get names(): string[] {
    return [...new Set(this.series.map((line) => line.replace(/\{.*/, '')))];
  }

  /** The sum of the series with this name and at least these labels; undefined: there is none. */
  value(name: string, labels: Labels = {}): number | undefined {
    const wanted = Object.entries(labels).map(([label, value]) => `${label}="${value}"`);
    const found = this.#lines.filter(
      (line) =>
        line.startsWith(name) && /[{ ]/.test(line[name.length] ?? '') && wanted.every((text) => line.includes(text)),
    );
    return found.length === 0
      ? undefined
      : found.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' '))), 0);
  }

  get #lines(): string[] {
    return this.text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  }
}

/** Where a process listens for metrics or probes, by its log. */
export async function listening(process: Started, message: 'metrics listening' | 'probes listening'): Promise<string> {
  const line = () => process.lines().find(({ msg }) => msg === message);
  await until(() => line() !== undefined);
  const { address } = line() as { address: { host: string; port: number } };
  return `http://${address.host}:${address.port}`;
}

export async function scrape(process: Started, accept = 'text/plain'): Promise<Scrape> {
  const response = await fetch(`${await listening(process, 'metrics listening')}/metrics`, { headers: { accept } });
  const text = await response.text();
  expect(response.status, text).to.equal(200);
  return new Scrape(text, response.headers.get('content-type') ?? '');
}

/** The status and the body of a probe. */
export async function probe(process: Started, path: string): Promise<readonly [number, Record<string, unknown>]> {
  const response = await fetch((await listening(process, 'probes listening')) + path);
  return [response.status, (await response.json()) as Record<string, unknown>];
}
