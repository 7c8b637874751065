// `latchkey store check`: prints the results for the store, with remedies, and sets the exit code.

import { Environment } from '../platform/env.js';
import { readTls, type TlsFiles, type TlsMaterial } from '../platform/tls/pem.js';
import { readStore, revealed, type StoreSettings } from '../settings/store.js';
import type { CheckResult, Severity } from '../store-check/check-result.js';
import { surveyFolder } from '../store-check/lmdb-survey.js';
import { surveyRedis } from '../store-check/redis/survey.js';
import type { CommandIo } from './command-io.js';
import { checkSettings, printWarnings } from './settings-warnings.js';

const LABELS: Readonly<Record<Severity, string>> = {
  unsafe: 'UNSAFE ',
  warning: 'warning',
  unknown: 'unknown',
  good: 'good   ',
};

export interface StoreReport {
  /** The results, with remedies, and the verdict. */
  readonly text: string;
  readonly isUnsafe: boolean;
}

/** Checks the store that `serve` would use with these variables. The exit code is 1 if it is unsafe. */
export async function storeCheck(io: CommandIo): Promise<void> {
  const env = new Environment(io.env);
  const settings = readStore(env, 'serve');
  checkSettings(env);
  printWarnings(env, io);
  const { text, isUnsafe } = await reportOn(settings);
  io.printResult(text);
  io.exitCode = isUnsafe ? 1 : 0;
}

/** Checks a store. */
export async function reportOn(settings: StoreSettings): Promise<StoreReport> {
  const results =
    settings.kind === 'redis'
      ? await surveyRedis(settings.url.reveal(), {
          ...settings,
          tls: tlsSource(settings.tls),
          sentinel: settings.sentinel && revealed(settings.sentinel),
        })
      : await surveyFolder(settings.dataDir);
  const count = (severity: Severity): number => results.filter((result) => result.severity === severity).length;
  const isUnsafe = count('unsafe') > 0;
  const verdict = isUnsafe ? 'Do not use this store' : 'This store can be used';
  const warnings = `${count('warning')} ${count('warning') === 1 ? 'warning' : 'warnings'}`;
  const sum = `\n${verdict}: ${count('unsafe')} unsafe, ${warnings}, ${count('unknown')} unknown.\n`;
  return { text: results.map(lines).join('') + sum, isUnsafe };
}

/** @throws TlsFileError */
function tlsSource(files: TlsFiles | undefined): (() => TlsMaterial['pem']) | undefined {
  if (!files) return undefined;
  const { pem } = readTls(files);
  return () => pem;
}

const sentence = (text: string): string => `${text.charAt(0).toUpperCase()}${text.slice(1)}.\n`;

const lines = ({ severity, message, remedy }: CheckResult): string =>
  `${LABELS[severity]}  ${sentence(message)}${remedy === undefined ? '' : `         > ${sentence(remedy)}`}`;
