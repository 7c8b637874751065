// The owner of each shard: the interface to the topology, and its implementation for a single server.

/** The identity and the address of a server. */
export interface ServerAddress {
  /** Unique; in a cluster the node's id. */
  readonly id: string;
  /** May hold a password. */
  readonly url: string;
  /** `host:port` for the log; undefined for a single server. */
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
  /** The server that a slot is moving to, as its owner reports; undefined: it is not moving. */
  destinationOf(group: number): string | undefined;
  /** The servers to connect to: owners, future owners, and destinations of moving slots. */
  readonly wanted: ReadonlySet<string>;
  /** undefined: the server is not part of the topology any more. */
  addressOf(id: string): ServerAddress | undefined;
  /** Calls back after each answer of a voter. */
  watch(listener: () => void): void;
  close(): Promise<void>;
}

/** A single server without failover. */
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
