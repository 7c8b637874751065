// Owns the reading of CLUSTER NODES: which nodes one of them knows, and whom it calls the owner of each shard's slot. Pure.

import { SHARDS, slotOf } from './keys.js';
import type { Place } from './url.js';

export interface ClusterNode {
  readonly id: string;
  readonly place: Place;
  /** As the node that tells it sees it; `failed`: more than half of the primaries could not reach it. */
  readonly role: 'primary' | 'replica' | 'failed';
  /** The primary that a replica follows, by its id. */
  readonly follows: string | undefined;
}

/** What one node says of the cluster. */
export interface ClusterWord {
  /** The id of the node that says it. */
  readonly self: string;
  readonly nodes: readonly ClusterNode[];
  /** By shard the id of the primary that has its slot; undefined: nobody has. */
  readonly owners: readonly (string | undefined)[];
}

/** @param asked where it was asked: a node that has met nobody yet does not know its own address */
export function parseNodes(text: string, asked: Place): ClusterWord | undefined {
  const nodes: ClusterNode[] = [];
  const owners = Array<string | undefined>(SHARDS).fill(undefined);
  let self: string | undefined;
  for (const line of text.split('\n')) {
    const [id, address = '', flagged = '', primary = '-', , , , , ...slots] = line.trim().split(' ');
    const flags = flagged.split(',');
    // One that is only being met, or has no address, is no member that could say anything.
    if (!id || flags.includes('handshake') || flags.includes('noaddr')) continue;
    const mine = flags.includes('myself');
    if (mine) self = id;
    const isPrimary = flags.includes('master');
    const role = flags.includes('fail') ? 'failed' : isPrimary ? 'primary' : 'replica';
    nodes.push({ id, place: placeOf(address, asked), role, follows: primary === '-' ? undefined : primary });
    if (!isPrimary) continue;
    for (const range of slots) for (const shard of shardsIn(range)) owners[shard] = id;
  }
  return self === undefined ? undefined : { self, nodes, owners };
}

/** `host:port@bus` or `host:port@bus,name`; an IPv6 address has no brackets here. */
function placeOf(address: string, asked: Place): Place {
  const [, host = '', port] = /^(.*):(\d+)(?:@\d+)?(?:,.*)?$/.exec(address) ?? [];
  return { host: host === '' ? asked.host : host, port: Number(port ?? asked.port) };
}

/** The shards whose slots lie in a range such as `0-5460` or `77`; what is on its way is told otherwise, and still there. */
function shardsIn(range: string): number[] {
  const [, first, last = first] = /^(\d+)(?:-(\d+))?$/.exec(range) ?? [];
  if (first === undefined) return [];
  const within = (shard: number): boolean => slotOf(shard) >= Number(first) && slotOf(shard) <= Number(last);
  return Array.from({ length: SHARDS }, (_, shard) => shard).filter(within);
}
