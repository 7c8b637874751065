// A Redis Cluster of real processes of this machine, for tests: it grows, fails over and moves slots.

import type { Redis } from 'ioredis';
import { BUS_OFFSET, freePortWithBus } from './free-ports.js';
import { RedisServer } from './redis-server.js';
import { SlotMigration } from './slot-migration.js';
import { answerWithin, untilReported } from './waiting.js';

const SLOTS = 16_384;

export interface ClusterOptions {
  readonly primaries?: number;
  /** How many replicas each primary has. */
  readonly replicas?: number;
  /** Lines of each node's configuration. */
  readonly settings?: readonly string[];
  readonly nodeTimeoutMs?: number;
}

export class ClusterWorld {
  /** Names but one node: the others are found. */
  readonly url: string;
  readonly #servers: RedisServer[];
  readonly #ids = new Map<RedisServer, string>();
  /** The lines of each node's configuration. */
  readonly #lines: readonly string[];

  private constructor(servers: readonly RedisServer[], lines: readonly string[]) {
    this.url = `redis+cluster://127.0.0.1:${servers.at(-1)?.port},127.0.0.1:${servers[0]?.port}`;
    this.#servers = [...servers];
    this.#lines = lines;
  }

  /** The primaries of the beginning first, then their replicas in the same order, then those that were added. */
  get servers(): readonly RedisServer[] {
    return this.#servers;
  }

  static async start(options: ClusterOptions = {}): Promise<ClusterWorld> {
    const { primaries = 3, replicas = 1, settings = [], nodeTimeoutMs = 1_500 } = options;
    const lines = [
      'cluster-enabled yes',
      'cluster-config-file nodes.conf',
      `cluster-node-timeout ${nodeTimeoutMs}`,
      'cluster-require-full-coverage no',
      'cluster-replica-validity-factor 0',
      'repl-diskless-sync-delay 0',
      ...settings,
    ];
    const servers: RedisServer[] = [];
    try {
      // One after the other, so that no two take one port.
      for (let n = 0; n < primaries * (1 + replicas); n++) {
        servers.push(await RedisServer.startWithFile(lines, freePortWithBus));
      }
      const world = new ClusterWorld(servers, lines);
      await world.#join(primaries);
      return world;
    } catch (error) {
      await Promise.all(servers.map((server) => server.stop()));
      throw error;
    }
  }

  idOf(server: RedisServer): string {
    return this.#ids.get(server) ?? '';
  }

  /** Who has a slot, if all nodes that answer say the same. */
  async ownerOf(slot: number): Promise<RedisServer | undefined> {
    return (await this.#ownersOf([slot]))[0];
  }

  async #ownersOf(slots: readonly number[]): Promise<(RedisServer | undefined)[]> {
    // One that is gone or paused says nothing.
    const view = (server: RedisServer) => (server.pid === undefined ? undefined : answerWithin(500, nodesBy(server)));
    const views = (await Promise.all(this.servers.map(view))).filter((each) => each !== undefined);
    return this.#agreed(views, slots);
  }

  /** The owners of slots, each if all views name it. */
  #agreed(views: readonly string[], slots: readonly number[]): (RedisServer | undefined)[] {
    const owners = views.map((each) => ownersIn(each, slots));
    return slots.map((_, n) => {
      const ids = new Set(owners.map((each) => each[n]));
      return ids.size === 1 ? this.servers.find((server) => ids.has(this.idOf(server))) : undefined;
    });
  }

  /** The replicas of a primary, as it names them itself. */
  async replicasOf(primary: RedisServer): Promise<RedisServer[]> {
    const lines = (await primary.raw.call('CLUSTER', 'REPLICAS', this.idOf(primary))) as string[];
    const ids = new Set(lines.map((line) => line.split(' ')[0]));
    return this.servers.filter((server) => ids.has(this.idOf(server)));
  }

  /** Makes a replica the owner of a slot that its primary has, in order, and waits until all nodes say so. */
  async planFailover(slot: number, replica: RedisServer): Promise<void> {
    // It refuses while it is not connected to its primary, and gives up after 5 seconds if that does not answer in time.
    await untilReported(async () => {
      await untilReported(async () => (await replica.raw.call('CLUSTER', 'FAILOVER')) === 'OK', 30_000);
      await untilReported(async () => (await this.ownerOf(slot)) === replica, 12_000);
      return true;
    }, 60_000);
  }

  /** Waits until all nodes agree on who has a slot, and that it is another one. */
  failedOver(slot: number, from: RedisServer, limitMs = 40_000): Promise<RedisServer> {
    return this.agreedOwnerOf(slot, limitMs, from);
  }

  /** Waits until all nodes agree on who has a slot. @param not one who must not have it any more */
  async agreedOwnerOf(slot: number, limitMs: number, not?: RedisServer): Promise<RedisServer> {
    const [owner] = await this.agreedOwnersOf([slot], limitMs, not);
    return owner as RedisServer;
  }

  /** Waits until all nodes agree on who has each of some slots. @param not one who must have none of them any more */
  async agreedOwnersOf(slots: readonly number[], limitMs: number, not?: RedisServer): Promise<readonly RedisServer[]> {
    let owners: readonly (RedisServer | undefined)[] = [];
    await untilReported(async () => {
      owners = await this.#ownersOf(slots);
      return owners.every((owner) => owner !== undefined && owner !== not);
    }, limitMs);
    return owners.filter((owner) => owner !== undefined);
  }

  /** Waits until every node that lives knows all others, and each primary has its replicas. */
  async settled(limitMs = 60_000): Promise<void> {
    await untilReported(async () => {
      const infos = await Promise.all(this.servers.map((server) => server.raw.call('CLUSTER', 'INFO')));
      if (!infos.every((info) => /cluster_state:ok/.test(String(info)))) return false;
      const views = await Promise.all(this.servers.map(nodesBy));
      const clean = views.every((view) => !/fail|handshake|noaddr/.test(view) && count(view) === this.servers.length);
      const owners = this.#agreed(views, [0, SLOTS / 2, SLOTS - 1]);
      const replication = await Promise.all(this.servers.map(({ raw }) => raw.info('replication')));
      const up = replication.every((info) => /role:master/.test(info) || /master_link_status:up/.test(info));
      return clean && up && owners.every((owner) => owner !== undefined);
    }, limitMs);
  }

  /**
   * Moves a slot with all that is in it, as `redis-cli --cluster reshard` does.
   * @param between called when some of its keys have moved
   */
  async migrate(slot: number, to: RedisServer, between: () => Promise<void> = async () => {}): Promise<void> {
    const migration = await this.beginMigration(slot, to);
    await migration.move(1);
    await between();
    await migration.finish();
  }

  /** Puts a slot on its way: it is to be finished, or cancelled. */
  async beginMigration(slot: number, to: RedisServer): Promise<SlotMigration> {
    const from = await this.agreedOwnerOf(slot, 30_000);
    if (from === to) throw new Error('the slot is there already');
    return SlotMigration.begin(slot, this.#end(from), this.#end(to));
  }

  /**
   * Adds a primary that has no slots and no data yet.
   * @param replicas how many replicas of its own it has
   * @returns the primary, then its replicas
   */
  async addPrimary(replicas = 0): Promise<readonly [RedisServer, ...RedisServer[]]> {
    const primary = await this.#add();
    const followers: RedisServer[] = [];
    for (let n = 0; n < replicas; n++) followers.push(await this.#add());
    await this.#allKnown();
    for (const { raw } of followers) await raw.call('CLUSTER', 'REPLICATE', this.idOf(primary));
    await this.settled();
    return [primary, ...followers];
  }

  /** Ends nodes that have no slots, and makes all others forget them. */
  async remove(...gone: readonly RedisServer[]): Promise<void> {
    for (const server of gone) await server.kill();
    for (const server of gone) this.#servers.splice(this.#servers.indexOf(server), 1);
    const forget = ({ raw }: RedisServer) =>
      Promise.all(gone.map((server) => raw.call('CLUSTER', 'FORGET', this.idOf(server))));
    await Promise.all(this.servers.map(forget));
    await Promise.all(gone.map((server) => server.stop()));
    await this.settled();
  }

  #end(server: RedisServer): { readonly server: RedisServer; readonly id: string } {
    return { server, id: this.idOf(server) };
  }

  async #add(): Promise<RedisServer> {
    const server = await RedisServer.startWithFile(this.#lines, freePortWithBus);
    // The first may have been killed.
    const known = this.#servers.find(({ pid }) => pid !== undefined);
    this.#servers.push(server);
    this.#ids.set(server, String(await server.raw.call('CLUSTER', 'MYID')));
    await known?.raw.call('CLUSTER', 'MEET', '127.0.0.1', server.port, server.port + BUS_OFFSET);
    return server;
  }

  async #allKnown(): Promise<void> {
    await untilReported(
      async () => (await Promise.all(this.servers.map(nodesBy))).every((v) => count(v) === this.servers.length),
      40_000,
    );
  }

  async stop(): Promise<void> {
    await Promise.all(this.servers.map((server) => server.stop()));
  }

  async #join(primaries: number): Promise<void> {
    for (const [n, server] of this.servers.entries()) {
      this.#ids.set(server, String(await server.raw.call('CLUSTER', 'MYID')));
      await server.raw.call('CLUSTER', 'SET-CONFIG-EPOCH', n + 1);
      if (n >= primaries) continue;
      const [from, to] = [n, n + 1].map((each) => Math.floor((each * SLOTS) / primaries));
      const slots = Array.from({ length: (to ?? 0) - (from ?? 0) }, (_, each) => (from ?? 0) + each);
      await server.raw.call('CLUSTER', 'ADDSLOTS', ...slots);
    }
    const [first, ...others] = this.servers;
    for (const { port } of others) {
      await first?.raw.call('CLUSTER', 'MEET', '127.0.0.1', port, port + BUS_OFFSET);
    }
    await this.#allKnown();
    await Promise.all(
      this.servers.slice(primaries).map((server, n) => {
        const primary = this.servers[n % primaries];
        return primary && server.raw.call('CLUSTER', 'REPLICATE', this.idOf(primary));
      }),
    );
    await this.settled();
  }
}

/** The ids of the primaries that have slots, as one node lists them; `-` for a slot that none has. */
function ownersIn(view: string, slots: readonly number[]): string[] {
  const owned = view.split('\n').flatMap((line) => {
    const [id = '', , flags = '', , , , , , ...ranges] = line.split(' ');
    return flags.includes('master') ? ranges.map((range) => ({ id, range: /^(\d+)(?:-(\d+))?$/.exec(range) })) : [];
  });
  const isIn = (slot: number, [, first, last = first]: readonly string[]): boolean =>
    first !== undefined && slot >= Number(first) && slot <= Number(last);
  return slots.map((slot) => owned.find(({ range }) => range !== null && isIn(slot, range))?.id ?? '-');
}

const nodesBy = async ({ raw }: { readonly raw: Redis }): Promise<string> => String(await raw.call('CLUSTER', 'NODES'));
const count = (view: string): number =>
  view
    .trim()
    .split('\n')
    .filter((line) => !/handshake/.test(line)).length;
