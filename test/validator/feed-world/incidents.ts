// What can happen in a history besides calls.

import type { History } from './history.js';
import { SHARDS } from './store.js';
import type { Incident } from './worlds.js';

const SECOND = 1_000;

const INCIDENTS: Readonly<Record<Incident, (history: History) => void>> = {
  'stream cut': (history) => history.pick(history.validators).connect(history.feedNode()),
  'node restarts': (history) => restart(history, history.pick([0, 1])),
  failover: (history) => {
    const { store, world } = history;
    store.failOver(history.pick([0, 100, 600, 2_000]), history.pick(world.clocksMs ?? [0]));
  },
  wipe: ({ store }) => {
    store.trueMs += 2;
    store.wipe();
  },
  'log deleted': (history) => {
    history.store.logs[history.pick(SHARDS)] = undefined;
  },
  'birth deleted': (history) => {
    history.store.trueMs += 2;
    history.store.births.delete(history.pick(SHARDS));
    history.store.see(true);
  },
  'slot moves': (history) => {
    const { store } = history;
    const shard = history.pick(SHARDS);
    // It has come: the other server answers from now on, or it was the same all the time.
    if (store.isSplit[shard] && history.chance(0.5)) store.incarnation++;
    store.isSplit[shard] = !store.isSplit[shard];
  },
  'clock set': (history) => history.store.setClock(history.pick(history.world.clocksMs ?? [0])),
  'folder restored': (history) => {
    const { store } = history;
    // The server that answers is the same: only the nodes have started anew.
    const { incarnation } = store;
    store.failOver(history.pick([SECOND, 20 * SECOND]), store.clockOffMs, false);
    store.incarnation = incarnation;
    history.forgetOperations();
    for (const which of [0, 1]) restart(history, which);
  },
  'older version ends': (history) => {
    if (history.chance(0.2)) for (const node of history.nodes) node.isOld = false;
  },
  'validator paused': (history) => {
    history.pick(history.validators).pausedUntilMs = history.store.trueMs + history.pick([1, 20]) * SECOND;
  },
  'machine suspended': (history) => {
    const forMs = history.pick([2, 30]) * SECOND;
    history.pick(history.validators).suspendedMs += forMs;
    history.store.trueMs += forMs;
  },
  'store away': (history) => {
    const which = history.pick([0, 1, 2]);
    if (which === 2) history.store.isUp = !history.store.isUp;
    else history.store.isAway[which] = !history.store.isAway[which];
  },
  'key retired': (history) => {
    const { store, nodes } = history;
    nodes.find(({ kids }) => kids.includes('k1'))?.useKeys(['k2']);
    if (!history.retired && nodes.every(({ kids }) => !kids.includes('k1')))
      history.retired = { kid: 'k1', step: ++store.step, atMs: store.trueMs };
  },
};

export const causeIncident = (history: History, incident: Incident): void => INCIDENTS[incident](history);

/** Its streams are cut without a word, and what it knew is gone. */
function restart(history: History, which: number): void {
  const before = history.nodes[which];
  if (!before) return;
  before.isGone = true;
  for (const stream of before.streams) stream.isOver = true;
  const node = history.newNode(which);
  node.kids = before.kids;
  node.isOld = before.isOld;
  history.nodes[which] = node;
}
