// The parser of CLUSTER NODES: the nodes that one node lists, and the owner that it names for each shard's slot. Pure.

import { SHARDS, slotOf } from '../keys.js';
import type { HostPort } from '../url.js';
import type { Vote } from './primary-lease.js';

export interface ClusterNode {
  readonly id: string;
  readonly address: HostPort;
  /** As the node that answers sees it; `failed`: more than half of the primaries could not reach it. */
  readonly role: 'primary' | 'replica' | 'failed';
  /** The primary that a replica follows, by its id. */
  readonly follows: string | undefined;
}

/** What one node answers about the cluster. */
export interface ClusterView {
  /** The id of the node that answers. */
  readonly self: string;
  readonly nodes: readonly ClusterNode[];
  /** By shard the primary that owns its slot, and its configuration epoch; undefined: no node owns it. */
  readonly owners: readonly (Vote | undefined)[];
  /** By shard the id of the node that this node moves its slot to. */
  readonly destinations: ReadonlyMap<number, string>;
}

/** @param asked the address of the question: a node that has met no other does not report its own address */
export function parseNodes(text: string, asked: HostPort): ClusterView | undefined {
  const nodes: ClusterNode[] = [];
  const owners = Array<Vote | undefined>(SHARDS).fill(undefined);
  const destinations = new Map<number, string>();
  let self: string | undefined;
  for (const line of text.split('\n')) {
    const [id, named = '', flagged = '', primary = '-', , , epoch, , ...slots] = line.trim().split(' ');
    const flags = flagged.split(',');
    // A node in its handshake, or without an address, is not a member that could answer.
    if (!id || flags.includes('handshake') || flags.includes('noaddr')) continue;
    if (flags.includes('myself')) self = id;
    const isPrimary = flags.includes('master');
    const role = flags.includes('fail') ? 'failed' : isPrimary ? 'primary' : 'replica';
    nodes.push({ id, address: readAddress(named, asked), role, follows: primary === '-' ? undefined : primary });
    if (!isPrimary) continue;
    for (const slot of slots) {
      const [, moving, to] = /^\[(\d+)->-(\w+)\]$/.exec(slot) ?? [];
      for (const shard of shardsIn(moving ?? slot)) {
        if (to !== undefined) destinations.set(shard, to);
        else owners[shard] = { server: id, epoch: Number(epoch) };
      }
    }
  }
  return self === undefined ? undefined : { self, nodes, owners, destinations };
}

/** `host:port@bus` or `host:port@bus,name`; an IPv6 address has no brackets here. */
function readAddress(text: string, asked: HostPort): HostPort {
  const [, host = '', port] = /^(.*):(\d+)(?:@\d+)?(?:,.*)?$/.exec(text) ?? [];
  return { host: host === '' ? asked.host : host, port: Number(port ?? asked.port) };
}

/** The shards whose slots lie in a range such as `0-5460` or `77`; none for a slot that is being imported. */
function shardsIn(range: string): number[] {
  const [, first, last = first] = /^(\d+)(?:-(\d+))?$/.exec(range) ?? [];
  if (first === undefined) return [];
  const within = (shard: number): boolean => slotOf(shard) >= Number(first) && slotOf(shard) <= Number(last);
  return Array.from({ length: SHARDS }, (_, shard) => shard).filter(within);
}
