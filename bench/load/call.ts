// What a call is to the load: bytes to send, and a judgement of what comes back.

/** Bytes that are sent as one. */
export interface Part {
  readonly end: number;
  /** What counts against the server's window. */
  readonly dataBytes: number;
}

/** A call's bytes; for HTTP/2 the stream's number is written into a copy of them. */
export interface Prepared {
  readonly bytes: Buffer;
  /** Where the frames have it. */
  readonly streamAt: readonly number[];
  /** From the beginning on; the first one of them begins the call. */
  readonly parts: readonly Part[];
}

export interface Call {
  readonly prepared: Prepared;
  /** Whether an answer is the expected one: a message, or a body. */
  accepts(answer: Buffer): boolean;
  /** Takes note that the call was refused, and not carried out. */
  refused?(): void;
}

/** Returns the next call; undefined: there is none left. */
export type CallSource = () => Call | undefined;
/** Makes a call's bytes from its message. */
export type Prepare = (message: Uint8Array) => Prepared;

/** An answer that cannot even be read is a wrong one. */
export function isRight(call: Call, answer: Buffer): boolean {
  try {
    return call.accepts(answer);
  } catch {
    return false;
  }
}

/** How a call ended: answered as expected, refused as RESOURCE_EXHAUSTED, or otherwise. */
export type Outcome = 'answered' | 'refused' | 'failed';
export type Ended = (outcome: Outcome) => void;

/** One connection. */
export interface Wire {
  readonly underWay: number;
  /** Whether the other side still has it. */
  readonly isOpen: boolean;
  /** Begins a call; it goes out with the next `flush`. */
  call(call: Call, ended: Ended): void;
  flush(): void;
  close(): void;
}
