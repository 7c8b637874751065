// What the store asks about the servers behind it: which one owns which shards now.

/** A server, as its topology names it. */
export interface ServerAddress {
  /** Unlike that of any other server: in a cluster the id of its node. */
  readonly id: string;
  /** May hold a password. */
  readonly url: string;
  /** `host:port` for the log; undefined where there is only one server. */
  readonly label: string | undefined;
}

/** Which server owns each group of shards. A server owns all shards of a group. */
export interface Owners {
  /** How many groups there are: one, or in a cluster one for each shard. */
  readonly groups: number;
  /** The id of the server that owns a group now; undefined: none may be used. */
  ownerOf(group: number): string | undefined;
  /** Why some group has no owner, for the log. */
  readonly why: string;
  /** The server that a slot is moving to, by the answer of its owner; undefined: it is not moving. */
  destinationOf(group: number): string | undefined;
  /** Servers to be connected to: owners of today and of tomorrow, and where slots move to. */
  readonly wanted: ReadonlySet<string>;
  /** undefined: the topology does not know it any more. */
  addressOf(id: string): ServerAddress | undefined;
  /** Calls back after each answer of a voter. */
  watch(listener: () => void): void;
  close(): Promise<void>;
}

/** A single server, which nothing replaces. */
export class SingleOwner implements Owners {
  readonly groups = 1;
  readonly why = '';
  readonly wanted: ReadonlySet<string>;
  readonly #address: ServerAddress;

  constructor(url: string) {
    this.#address = { id: 'single', url, label: undefined };
    this.wanted = new Set([this.#address.id]);
  }

  ownerOf(): string {
    return this.#address.id;
  }

  destinationOf(): undefined {
    return undefined;
  }

  addressOf(): ServerAddress {
    return this.#address;
  }

  watch(): void {}

  async close(): Promise<void> {}
}
