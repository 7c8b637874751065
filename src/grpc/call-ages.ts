// The ages of the calls under way, to the turn of the event loop in which each began.

/** The event loop rests if it has waited this long for something to do, ms: the queue of its work is empty then. */
const REST_MS = 1;

/** One turn of the event loop, as seen at its end. */
export interface TurnReport {
  /** When the turn ended, in ms of processor time that the process has used. */
  readonly nowMs: number;
  /** The processor time since the start of the turn in which the oldest call began that was under way in this one, ms. */
  readonly oldestMs: number;
  /** Whether the event loop has rested since the last report. */
  readonly rested: boolean;
}

/** The calls that began in one turn, as far as they are still under way. */
export interface BeginningTurn {
  readonly startMs: number;
  underWay: number;
  next: BeginningTurn | undefined;
}

/** Cheap for each call: all calls of a turn share two readings of the clocks. */
export class CallAges {
  readonly #report: (turn: TurnReport) => void;
  /** The turns with calls under way, in order; the first is the oldest. */
  #first: BeginningTurn | undefined;
  #last: BeginningTurn | undefined;
  #current: BeginningTurn | undefined;
  /** The start of the oldest call that has ended since the last report. */
  #endedStartMs = Number.POSITIVE_INFINITY;
  #lastEndMs = 0;
  #idleMs = 0;
  #rested = true;

  /** @param report called at the end of each turn in which a call has come */
  constructor(report: (turn: TurnReport) => void) {
    this.#report = report;
  }

  /** The present turn. A call has come in it, which may be taken or refused. */
  turn(): BeginningTurn {
    this.#current ??= this.#open();
    return this.#current;
  }

  /** Counts a call as under way from now on. @returns what `end` takes back */
  begin(): BeginningTurn {
    const turn = this.turn();
    turn.underWay++;
    return turn;
  }

  /** @param counts whether the time that the call took counts as waiting */
  end(turn: BeginningTurn, counts = true): void {
    turn.underWay--;
    if (counts && turn.startMs < this.#endedStartMs) this.#endedStartMs = turn.startMs;
  }

  /** Whether this is the present turn. */
  isCurrent(turn: BeginningTurn): boolean {
    return turn === this.#current;
  }

  #open(): BeginningTurn {
    const nowMs = processorMs();
    const { idle } = performance.eventLoopUtilization();
    this.#rested = idle - this.#idleMs >= REST_MS;
    this.#idleMs = idle;
    // A busy loop has not looked at its sockets since the last turn ended: the calls may have waited in them since then.
    const turn = { startMs: this.#rested ? nowMs : this.#lastEndMs, underWay: 0, next: undefined };
    if (this.#last) this.#last.next = turn;
    else this.#first = turn;
    this.#last = turn;
    // After the sockets that can be read have been read, and before any is read again.
    setImmediate(() => this.#close(turn));
    return turn;
  }

  #close(turn: BeginningTurn): void {
    this.#current = undefined;
    this.#lastEndMs = processorMs();
    while (this.#first && this.#first.underWay === 0) this.#first = this.#first.next;
    if (!this.#first) this.#last = undefined;
    const oldestStartMs = Math.min(this.#endedStartMs, this.#first?.startMs ?? turn.startMs, turn.startMs);
    this.#endedStartMs = Number.POSITIVE_INFINITY;
    this.#report({ nowMs: this.#lastEndMs, oldestMs: this.#lastEndMs - oldestStartMs, rested: this.#rested });
  }
}

/** Processor time that the process has used, ms. */
function processorMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
}
