// The port of logging: the functions that code may call on a logger, without the library behind it.

/** Writes one line: fields, an error as `err`, and a fixed message. */
export type LogWrite = (fields: Readonly<Record<string, unknown>>, message: string) => void;

export interface Logger {
  readonly trace: LogWrite;
  readonly debug: LogWrite;
  readonly info: LogWrite;
  readonly warn: LogWrite;
  readonly error: LogWrite;
  /** Whether lines of a level are written. */
  isLevelEnabled(level: string): boolean;
  /** @returns a logger that adds some fields to each line */
  child(fields: Readonly<Record<string, unknown>>): Logger;
}
