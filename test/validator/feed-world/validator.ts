// A validator of the modelled world: the library's own knowledge, with two clocks and a stream that the world moves.

import type { Demand, Subject, Verdict } from '../../../src/validator/feed/decide.js';
import { FeedKnowledge, type KnowledgeParts } from '../../../src/validator/feed/feed-knowledge.js';
import type { Moment } from '../../../src/validator/freshness.js';
import { type FeedNode, idBytes, type ModelStream } from './node.js';
import type { ModelToken } from './service.js';
import type { ModelStore } from './store.js';

/** What is planted in a validator: histories must break. */
export interface ValidatorFaults {
  /** Parts of its knowledge that break a rule. */
  readonly parts?: () => KnowledgeParts;
  /** It looks at the monotonic clock alone. */
  readonly ignoresWallClock?: boolean;
  /** Keys are added, and none is taken away. */
  readonly keepsKeys?: boolean;
}

export class ModelValidator {
  /** Until when it does not run, true time, ms. */
  pausedUntilMs = 0;
  /** How long its machine was suspended, with its monotonic clock stopped. */
  suspendedMs = 0;
  node: FeedNode | undefined;
  readonly #store: ModelStore;
  readonly #faults: ValidatorFaults;
  readonly #knowledge: FeedKnowledge;
  readonly #kids = new Set<string>();
  #stream: ModelStream | undefined;

  constructor(store: ModelStore, faults: ValidatorFaults) {
    this.#store = store;
    this.#faults = faults;
    this.#knowledge = new FeedKnowledge(faults.parts?.());
  }

  get isConnected(): boolean {
    return this.#stream !== undefined && !this.#stream.isOver && !this.node?.isGone;
  }

  connect(node: FeedNode): void {
    if (this.#stream) this.#stream.isOver = true;
    this.node = node;
    this.#stream = node.open();
    this.#knowledge.streamBegins();
    this.ping();
  }

  /** @returns the id; infinite: none could be sent */
  ping(): number {
    if (!this.#stream || !this.#knowledge.mayPing) return Number.POSITIVE_INFINITY;
    const id = this.#knowledge.ping(this.#now());
    this.#stream.pings.push(id);
    return id;
  }

  /** A ping comes to the node. */
  pingComes(): void {
    const id = this.#stream?.pings.shift();
    if (this.#stream && id !== undefined && this.isConnected) this.#stream.cameId = id;
  }

  /** A message comes. */
  receive(): void {
    const message = this.#stream?.messages.shift();
    if (message) this.#knowledge.take(message, this.#now());
    if (!message?.keys) return;
    if (!this.#faults.keepsKeys) this.#kids.clear();
    for (const { kid } of message.keys.keys) this.#kids.add(kid);
  }

  /** How many messages are on their way. */
  get pending(): number {
    return this.#stream?.messages.length ?? 0;
  }

  /** What it says of a token. The signature is good, if its key is known. */
  judge(token: ModelToken, demand: Demand): Verdict {
    if (!this.#kids.has(token.kid)) return 'ask';
    return this.#knowledge.decide(subjectOf(token), this.#now(), demand) ?? 'ask';
  }

  #now(): Moment {
    const monotonicMs = this.#store.trueMs - this.suspendedMs;
    return { monotonicMs, wallMs: this.#faults.ignoresWallClock ? monotonicMs : this.#store.trueMs };
  }
}

/** Every token is judged many times. */
const SUBJECTS = new WeakMap<ModelToken, Subject>();

function subjectOf(token: ModelToken): Subject {
  const known = SUBJECTS.get(token) ?? newSubject(token);
  SUBJECTS.set(token, known);
  return known;
}

function newSubject({
  sid,
  sub,
  shard,
  startMs,
  generation,
  issuedAt,
  expiresAt,
  kid,
  isForeign,
}: ModelToken): Subject {
  const token = {
    ...({ kind: 'access', kid, subject: sub, sessionId: sid as never, startMs, generation, id: '' } as const),
    ...{ issuedAt, expiresAt, notBefore: undefined, issuer: undefined, audience: [], claims: {} },
    ...{ adopted: false, adoptedSession: isForeign },
  };
  return { token, shard, session: idBytes(sid).toString('latin1'), subject: idBytes(sub).toString('latin1') };
}
