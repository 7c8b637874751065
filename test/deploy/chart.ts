// The Helm chart as helm renders it.

import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import { ROOT } from '../docs/markdown.js';

const TOOLS = join(ROOT, 'node_modules/.cache/deploy');
const HELM = existsSync(join(TOOLS, 'helm')) ? join(TOOLS, 'helm') : 'helm';
const CHART = join(ROOT, 'deploy/helm/latchkey');
/** The oldest version of Kubernetes that the chart takes, and the newest whose schemas there are. */
export const KUBERNETES = ['1.27.0', '1.37.0'];

export interface Container {
  readonly args: readonly [string];
  readonly env: readonly { readonly name: string; readonly value: string }[];
  readonly ports: readonly { readonly name: string; readonly containerPort: number }[];
  readonly volumeMounts?: readonly { readonly name: string; readonly mountPath: string }[];
  readonly securityContext: Readonly<Record<string, unknown>>;
  readonly startupProbe: Probe;
  readonly readinessProbe: Probe;
  readonly livenessProbe: Probe;
}

export interface Probe {
  readonly httpGet: { readonly path: string; readonly port: string };
}

export interface Manifest {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly labels: Readonly<Record<string, string>> };
  readonly spec: {
    /** Of a ServiceMonitor: the label of the Service that names its job to Prometheus. */
    readonly jobLabel?: string;
    readonly template?: {
      readonly spec: {
        readonly automountServiceAccountToken: boolean;
        readonly securityContext: Readonly<Record<string, unknown>>;
        readonly containers: readonly [Container];
        readonly volumes: readonly { readonly name: string; readonly secret: { readonly secretName: string } }[];
      };
    };
  };
}

interface Ended {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

const run = (command: string, args: readonly string[], input = ''): Ended =>
  spawnSync(command, args, { encoding: 'utf8', input, maxBuffer: 64 * 1024 * 1024 });

const valuesAt = (name: string): string => join(ROOT, 'test/deploy', `${name}.yaml`);

export const lint = (values: string): Ended => run(HELM, ['lint', '--strict', CHART, '--values', valuesAt(values)]);

interface Release {
  /** The name of a file in test/deploy, without its ending. */
  readonly values: string;
  /** Settings by `--set`. */
  readonly sets?: readonly string[];
  readonly name?: string;
}

export function template({ values, sets = [], name = 'demo' }: Release): Ended {
  const more = sets.flatMap((set) => ['--set', set]);
  const fixed = ['--namespace', 'auth', '--kube-version', KUBERNETES[0] ?? ''];
  return run(HELM, ['template', name, CHART, ...fixed, '--values', valuesAt(values), ...more]);
}

/** @throws Error with what helm says */
export function manifests(values: string, name?: string): readonly Manifest[] {
  const { status, stdout, stderr } = template({ values, ...(name !== undefined && { name }) });
  if (status !== 0) throw new Error(stderr);
  return parseAllDocuments(stdout, { version: '1.1' }).map((document) => document.toJS() as Manifest);
}

/** Whether manifests keep the schemas of a version of Kubernetes. */
export function validate(all: readonly Manifest[], version: string): Ended {
  const text = all.map((manifest) => JSON.stringify(manifest)).join('\n---\n');
  const tool = join(TOOLS, 'kubernetes-validate==1.37.0/bin/kubernetes-validate');
  return run(tool, ['--strict', '--quiet', '--kubernetes-version', version, '-'], text);
}
