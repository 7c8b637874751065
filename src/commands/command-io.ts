// What a command reads and writes.

export interface CommandIo {
  /** The environment. */
  readonly env: NodeJS.ProcessEnv;
  /** 0 unless the command sets another one. */
  exitCode: number;
  /** Reads standard input to its end. */
  readInput(): Promise<string>;
  /** Writes the complete result to standard output. @throws ResultUnwritable */
  printResult(text: string): void;
  /** Writes a message for the user to standard error. */
  printMessage(text: string): void;
}
