// One random history of a world, and what must hold of every answer, by true time and true order.
// Logins, refreshes, logouts, incidents, and validators that are asked in between.

import type { Demand } from '../../../src/validator/feed/decide.js';
import { causeIncident } from './incidents.js';
import { FeedNode } from './node.js';
import type { ModelToken } from './service.js';
import { ModelStore, SHARDS, Unavailable } from './store.js';
import { ModelValidator } from './validator.js';
import type { World } from './worlds.js';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const STEPS = 700;
const MOST_SESSIONS = 8;
/** Until a node drops a retired key, and the message is there, ms. */
const KEYS_LATE_MS = 3 * SECOND;

/** 0 to 1, the same numbers for the same seed. */
export type Draw = () => number;

export function drawFrom(seed: number): Draw {
  let state = seed >>> 0 || 1;
  return () => {
    state ^= state << 13;
    state >>>= 0;
    state ^= state >>> 17;
    state ^= state << 5;
    state >>>= 0;
    return state / 2 ** 32;
  };
}

/** A question to a validator. */
interface Question {
  readonly validator: ModelValidator;
  readonly token: ModelToken;
  /** When it was asked: the step, and true time, ms. */
  readonly step: number;
  readonly askedMs: number;
  /** How old the knowledge may be, ms; undefined: strict. */
  readonly maxStalenessMs: number | undefined;
  readonly demand: Demand;
}

interface Operation {
  readonly run: Iterator<void, unknown>;
  readonly done: (result: unknown) => void;
}

export class History {
  readonly store: ModelStore;
  readonly world: World;
  readonly nodes: FeedNode[];
  readonly validators: readonly ModelValidator[];
  /** What was said, by how often. */
  readonly said = new Map<string, number>();
  readonly violations = new Set<string>();
  /** The key that no node takes any more, since when. */
  retired: { readonly kid: string; readonly step: number; readonly atMs: number } | undefined;
  readonly #draw: Draw;
  readonly #tokens: ModelToken[] = [];
  readonly #operations = new Set<Operation>();
  readonly #strict = new Set<Question>();
  #ids = 0;

  constructor(world: World, draw: Draw) {
    this.world = world;
    this.#draw = draw;
    this.store = new ModelStore(!world.losesAcknowledged);
    this.store.trustsClock = world.nodeFaults?.trustsClock ?? false;
    this.nodes = [this.newNode(0), this.newNode(1)];
    this.validators = [0, 1, 2].map(() => new ModelValidator(this.store, world.validatorFaults ?? {}));
    const atMs = this.store.nowMs - 1;
    for (const shard of SHARDS)
      this.store.births.set(shard, { atMs, adoptedSinceMs: atMs - 100 * SECOND, isLogged: true });
  }

  /** @returns what was broken */
  run(): ReadonlySet<string> {
    for (let step = 0; step < STEPS; step++) this.#step(this.#draw());
    return this.violations;
  }

  newNode(which: number): FeedNode {
    const { accessTtlMs = [5 * MINUTE, 5 * MINUTE], nodeFaults = {}, hasOldNode = false } = this.world;
    const node = new FeedNode(this.store, accessTtlMs[which] ?? 0, nodeFaults);
    node.isOld = hasOldNode && which === 1;
    return node;
  }

  pick<Each>(list: readonly Each[]): Each {
    const found = list[Math.floor(this.#draw() * list.length)];
    if (found === undefined) throw new Error('there is nothing to pick from');
    return found;
  }

  chance(share: number): boolean {
    return this.#draw() < share;
  }

  /** A node that has the feed. */
  feedNode(): FeedNode {
    return this.pick(this.nodes.filter(({ isOld }) => !isOld));
  }

  /** Calls under way end; then time passes. */
  pass(ms: number): void {
    for (const operation of [...this.#operations]) {
      for (let n = 0; n < 60 && this.#operations.has(operation); n++) this.#go(operation);
    }
    this.store.trueMs += ms;
  }

  /** What was under way in processes that have ended never ends. */
  forgetOperations(): void {
    this.#operations.clear();
  }

  #step(drawn: number): void {
    const recent = this.#tokens.slice(-6);
    if (drawn < 0.42) this.#moveFeed();
    else if (drawn < 0.62 && this.#operations.size > 0) this.#go(this.pick([...this.#operations]));
    else if (drawn < 0.7) this.store.trueMs += this.pick([0, 0, 1, 1, 10, 100, 500]);
    else if (drawn < 0.71) this.#jump();
    else if (drawn < 0.75 && this.store.sessions.size < MOST_SESSIONS) this.#login();
    else if (drawn < 0.79 && recent.length > 0) {
      const token = this.pick(recent);
      this.#begin(this.pick(this.nodes).refresh(token), (next) => this.#got(next));
    } else if (drawn < 0.82 && recent.length > 0) this.#begin(this.pick(this.nodes).logout(this.pick(this.#tokens)));
    else if (drawn < 0.828 && recent.length > 0) this.#begin(this.pick(this.nodes).everywhere(this.pick(this.#tokens)));
    else if (drawn < 0.9 && recent.length > 0) this.#ask();
    else if (drawn < 0.91 && this.#strict.size > 0) this.#askService(this.pick([...this.#strict]));
    else if (drawn < 0.935 && this.world.incidents.length > 0) causeIncident(this, this.pick(this.world.incidents));
  }

  #jump(): void {
    this.pass(this.pick([1, 3, 15, ...(this.world.isLong ? [120, 360, 420] : [90])]) * SECOND);
    if (this.chance(0.7)) for (let n = 0; n < 60; n++) this.#moveFeed();
  }

  #moveFeed(): void {
    const validator = this.pick(this.validators);
    if (validator.pausedUntilMs > this.store.trueMs) return;
    const { node } = validator;
    if (!node || !validator.isConnected) return validator.connect(this.feedNode());
    const drawn = this.#draw();
    if (drawn < 0.1) validator.ping();
    else if (drawn < 0.35) validator.pingComes();
    else if (drawn < 0.75) {
      validator.receive();
      for (const question of [...this.#strict]) if (question.validator === validator) this.#judgeStrict(question);
    } else node.stepRound();
  }

  #login(): void {
    const node = this.pick(this.nodes);
    const sub = this.pick(['a', 'b', 'c']);
    const isForeign = this.chance(0.15) && !this.world.incidents.includes('wipe');
    if (!isForeign)
      return this.#begin(
        node.issue(sub, () => `s${++this.#ids}`),
        (token) => this.#got(token),
      );
    const issuedAt = Math.floor((this.store.nowMs - 5 * SECOND) / SECOND);
    const adopted = { sid: `f${++this.#ids}`, sub, shard: sub.charCodeAt(0) % SHARDS.length, isForeign };
    const token = {
      ...adopted,
      startMs: issuedAt * SECOND,
      generation: 0,
      issuedAt,
      expiresAt: issuedAt + 300,
      kid: '',
    };
    this.#begin(node.refresh(token), (next) => this.#got(next));
  }

  #got(result: unknown): void {
    const token = result as ModelToken | undefined;
    if (!token) return;
    this.#tokens.push(token);
    const { sid, sub, shard, startMs, isForeign } = token;
    if (this.store.sessions.has(sid)) return;
    const untold = { heldStep: undefined, heldMs: undefined, ackStep: undefined, ackMs: undefined, wasHeld: false };
    this.store.sessions.set(sid, { sid, sub, shard, startMs, isForeign, issuedAtMs: this.store.trueMs, ...untold });
    this.store.see();
  }

  #begin(run: Iterator<void, unknown>, done: (result: unknown) => void = () => {}): void {
    this.#operations.add({ run, done });
  }

  #go(operation: Operation): void {
    const ended = (): void => {
      this.#operations.delete(operation);
      this.store.step++;
    };
    try {
      const { done, value } = operation.run.next();
      if (!done) return;
      ended();
      operation.done(value);
    } catch (error) {
      if (!(error instanceof Unavailable)) throw error;
      ended();
    }
  }

  #ask(): void {
    const validator = this.pick(this.validators);
    if (validator.pausedUntilMs > this.store.trueMs) return;
    const asked = { validator, token: this.pick(this.#tokens), step: ++this.store.step, askedMs: this.store.trueMs };
    if (this.chance(0.5)) {
      const question = { ...asked, maxStalenessMs: undefined, demand: { fromPing: validator.ping() } };
      this.#strict.add(question);
      return this.#judgeStrict(question);
    }
    const maxStalenessMs = this.pick([300, 2 * SECOND, 10 * SECOND]);
    const question = { ...asked, maxStalenessMs, demand: { maxStalenessMs } };
    const verdict = validator.judge(question.token, question.demand);
    if (verdict === 'ask' || verdict === 'stale') this.#askService(question);
    else this.#decided(question, verdict);
  }

  #judgeStrict(question: Question): void {
    const verdict = question.validator.judge(question.token, question.demand);
    if (verdict === 'ask' || verdict === 'stale') return;
    this.#strict.delete(question);
    this.store.step++;
    this.#decided(question, verdict);
  }

  /** The feed cannot tell: a node is asked, and its answer is as strict as any. */
  #askService(question: Question): void {
    this.#strict.delete(question);
    this.#begin(this.feedNode().validate(question.token), (answer) => {
      this.#count(`asked: ${answer}`);
      if (answer === 'active') this.#check({ ...question, maxStalenessMs: undefined }, answer);
    });
  }

  #decided(question: Question, verdict: string): void {
    this.#count(verdict);
    this.#check(question, verdict);
  }

  #count(what: string): void {
    this.said.set(what, (this.said.get(what) ?? 0) + 1);
  }

  #check({ token, step, askedMs, maxStalenessMs }: Question, said: string): void {
    const session = this.store.sessions.get(token.sid);
    if (!session) throw new Error('the session is not known');
    const { heldStep, heldMs, ackStep, ackMs, wasHeld, startMs, issuedAtMs } = session;
    if (said === 'active' && maxStalenessMs === undefined && heldStep !== undefined && heldStep < step) {
      const isTold = ackStep !== undefined && ackStep < step;
      this.violations.add(isTold ? 'strict: active after an acknowledged end' : 'strict: active after an end');
    }
    const sinceMs = askedMs - (maxStalenessMs ?? 0);
    const isLate = heldMs !== undefined && ackMs !== undefined && heldMs < sinceMs && ackMs < sinceMs;
    if (said === 'active' && maxStalenessMs !== undefined && isLate)
      this.violations.add('active longer than allowed after an acknowledged end');
    const { retired } = this;
    if (said === 'active' && retired?.kid === token.kid && sinceMs > retired.atMs + KEYS_LATE_MS && step > retired.step)
      this.violations.add('active by a retired key');
    // Allowed: what was taken back by a failover to an earlier clock denies sessions for as long as it was set back.
    const { peakMs, peakTrueMs } = this.store;
    const isAllowed = startMs <= peakMs && issuedAtMs >= peakTrueMs;
    if (said === 'REVOKED' && !wasHeld && !isAllowed) this.violations.add('not active, and nothing had ended it');
  }
}
