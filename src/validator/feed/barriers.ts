// Barriers: callers that need what is known as of now share one urgent ping per turn. Bounded in number and in time.

/**
 * The least time between two pings, ms. Each is a tiny frame, and the service closes a connection that sends a thousand
 * of these in half a second. It reads its store at most every 5 ms.
 */
const PINGS_APART_MS = 1;
/** The share of a caller's time by which its barrier may be older: a barrier is given up as a whole. */
const JOIN_SHARE = 0.05;

export interface BarriersOptions {
  /** How long a caller waits for a pong, ms. */
  readonly patienceMs: number;
  /** The most callers that wait. */
  readonly most: number;
  /** Sends an urgent ping. @returns its id; undefined: none can be sent now */
  readonly ping: () => number | undefined;
}

/** The callers of one turn, or of several turns close together in which no ping could be sent. */
interface Barrier {
  /** When its first caller came, ms. */
  readonly beganMs: number;
  /** Undefined: no ping was sent yet. */
  id: number | undefined;
  callers: number;
  readonly passed: Promise<number | undefined>;
  readonly end: (id: number | undefined) => void;
}

export class Barriers {
  readonly #options: BarriersOptions;
  /** Those with a ping, in the order of their ids. */
  readonly #sent = new Set<Barrier>();
  /** Those without. */
  readonly #unsent = new Set<Barrier>();
  /** The last one of these. */
  #next: Barrier | undefined;
  #callers = 0;
  /** Set for a while after a ping. */
  #rest: NodeJS.Timeout | undefined;
  #isClosed = false;

  constructor(options: BarriersOptions) {
    this.#options = options;
  }

  /** Callers that wait. */
  get callers(): number {
    return this.#callers;
  }

  /**
   * Resolves with the id of a ping that is sent after this call, once its pong has come; with undefined if none comes
   * in time, or too many callers wait.
   */
  wait(): Promise<number | undefined> {
    if (this.#isClosed || this.#callers >= this.#options.most) return Promise.resolve(undefined);
    const { patienceMs } = this.#options;
    const isOld = this.#next && performance.now() - this.#next.beganMs > patienceMs * JOIN_SHARE;
    const barrier = this.#next && !isOld ? this.#next : this.#begin();
    barrier.callers++;
    this.#callers++;
    return barrier.passed;
  }

  /** All pings up to an id have their pong. */
  answered(id: number): void {
    for (const barrier of this.#sent) {
      if (barrier.id === undefined || barrier.id > id) break;
      this.#end(barrier, barrier.id);
    }
    this.#send();
  }

  /** A new stream was opened: the pings of the old one get no pong any more. */
  streamBegan(): void {
    if (this.#sent.size === 0) return this.#send();
    const id = this.#options.ping();
    for (const barrier of this.#sent) barrier.id = id;
    this.#send();
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#rest);
    for (const barrier of [...this.#sent, ...this.#unsent]) this.#end(barrier, undefined);
  }

  #begin(): Barrier {
    let resolve: (id: number | undefined) => void = () => {};
    const passed = new Promise<number | undefined>((done) => {
      resolve = done;
    });
    // One turn later, so that a pong that has arrived is handled first.
    const timer = setTimeout(() => setImmediate(() => this.#end(barrier, undefined)), this.#options.patienceMs);
    const end = (id: number | undefined): void => {
      clearTimeout(timer);
      resolve(id);
    };
    const barrier: Barrier = { beganMs: performance.now(), id: undefined, callers: 0, passed, end };
    this.#unsent.add(barrier);
    this.#next = barrier;
    setImmediate(() => this.#send());
    return barrier;
  }

  /** Sends the ping of all that have none, if one can be sent now. */
  #send(): void {
    if (this.#unsent.size === 0 || this.#rest) return;
    const id = this.#options.ping();
    if (id === undefined) return;
    for (const barrier of this.#unsent) {
      barrier.id = id;
      this.#sent.add(barrier);
    }
    this.#unsent.clear();
    this.#next = undefined;
    this.#rest = setTimeout(() => {
      this.#rest = undefined;
      this.#send();
    }, PINGS_APART_MS);
  }

  #end(barrier: Barrier, id: number | undefined): void {
    if (!this.#sent.delete(barrier) && !this.#unsent.delete(barrier)) return;
    if (this.#next === barrier) this.#next = undefined;
    this.#callers -= barrier.callers;
    barrier.end(id);
  }
}
