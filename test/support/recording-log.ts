// A logger that keeps its lines for tests.

type Fields = Readonly<Record<string, unknown>>;

export interface LogLine {
  readonly level: 'info' | 'warn' | 'error';
  readonly fields: Fields;
  readonly message: string;
}

export class RecordingLog {
  readonly lines: LogLine[] = [];
  readonly info = this.#writer('info');
  readonly warn = this.#writer('warn');
  readonly error = this.#writer('error');

  /** All that was logged, as one text. */
  get text(): string {
    return JSON.stringify(this.lines);
  }

  of(level: LogLine['level']): readonly string[] {
    return this.lines
      .filter((line) => line.level === level)
      .map(({ fields, message }) => `${message} ${fields['detail'] ?? ''}`);
  }

  #writer(level: LogLine['level']) {
    return (fields: Fields, message: string): void => {
      this.lines.push({ level, fields, message });
    };
  }
}
