// A Redis Cluster for tests of which every answer is scripted: who owns the slots, where one moves to, and what is late.

import { slotOf } from '../../../src/adapters/redis/keys.js';
import { elapse } from '../../support/waiting.js';
import { RESP, RespServer } from './resp-server.js';

/** What all nodes say. */
export interface ScriptedView {
  /** Which node owns all slots. */
  owner: number;
  epoch: number;
  /** Where the owner moves the slot of a shard to. */
  moving: { readonly shard: number; readonly to: number } | undefined;
  /** The flags of a node; undefined: it is a primary. */
  flags: (node: number) => string | undefined;
}

export interface ScriptedNode {
  readonly server: RespServer;
  readonly id: string;
  /** What a primary calls what it holds. */
  replicationId: string;
  /** How many replicas confirm. */
  replicas: number;
  /** While it is there no command is taken up. */
  pause: Promise<void> | undefined;
  /** Answers to scripts, by the keys; undefined: as a Redis with nothing in it. */
  evaluate: (keys: readonly string[]) => string | undefined;
}

const COUNT = 3;

export class ScriptedCluster {
  readonly nodes: readonly ScriptedNode[];
  readonly view: ScriptedView = { owner: 0, epoch: 1, moving: undefined, flags: () => undefined };
  /** How long each answer to CLUSTER NODES is kept back, ms. */
  lateMs = 0;

  private constructor(servers: readonly RespServer[]) {
    this.nodes = servers.map((server, n) => ({
      server,
      id: `${n}`.repeat(40),
      replicationId: `${n}`.repeat(40),
      replicas: 1,
      pause: undefined,
      evaluate: () => undefined,
    }));
    for (const node of this.nodes) node.server.answer = (command, args) => this.#answer(node, command, args);
  }

  static async start(): Promise<ScriptedCluster> {
    return new ScriptedCluster(await Promise.all(Array.from({ length: COUNT }, () => RespServer.start())));
  }

  get url(): string {
    return `redis+cluster://127.0.0.1:${this.node(0).server.port}`;
  }

  node(n: number): ScriptedNode {
    const node = this.nodes[n];
    if (!node) throw new Error(`there is no node ${n}`);
    return node;
  }

  async stop(): Promise<void> {
    await Promise.all(this.nodes.map(({ server }) => server.stop()));
  }

  async #answer(node: ScriptedNode, command: string, args: readonly string[]): Promise<string | undefined> {
    await node.pause;
    if (command === 'cluster') return this.#nodesFor(node);
    if (command === 'wait') return RESP.number(node.replicas);
    if (command === 'info' && args[0] === 'server') return RESP.text(`run_id:${node.id}\r\n`);
    if (command === 'info' && args[0] === 'replication') {
      const second = '0'.repeat(40);
      return RESP.text(`role:master\r\nmaster_replid:${node.replicationId}\r\nmaster_replid2:${second}\r\n`);
    }
    if (!command.startsWith('eval')) return undefined;
    return node.evaluate(args.slice(2, 2 + Number(args[1])));
  }

  async #nodesFor(asked: ScriptedNode): Promise<string> {
    // What is answered is what was so when the question came.
    const text = RESP.text(this.nodes.map((node, n) => this.#line(node, n, node === asked)).join('\n'));
    if (this.lateMs > 0) await elapse(this.lateMs, 'a slow node');
    return text;
  }

  #line({ server: { port }, id }: ScriptedNode, n: number, isSelf: boolean): string {
    const { owner, epoch, moving, flags } = this.view;
    const words = [id, `127.0.0.1:${port}@1${port}`, `${isSelf ? 'myself,' : ''}${flags(n) ?? 'master'}`, '-', 0, 0];
    words.push(n === owner ? epoch : 0, 'connected');
    if (n === owner) words.push('0-16383');
    if (n === owner && isSelf && moving) words.push(`[${slotOf(moving.shard)}->-${this.node(moving.to).id}]`);
    return words.join(' ');
  }
}
