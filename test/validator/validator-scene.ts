// Validators on a clock that is moved by hand, before scripted services: all of them gone when a test is over.

import type { Validator, ValidatorOptions } from '../../src/validator/api.js';
import { buildValidator } from '../../src/validator/build-validator.js';
import { HandClock } from './hand-clock.js';
import { ScriptedService } from './scripted-service.js';

export class ValidatorScene {
  /** The clock of the validators that are made from now on. It also goes with the real time. */
  clock = new HandClock(true);
  readonly #services: ScriptedService[] = [];
  readonly #validators: Validator[] = [];

  async serve(): Promise<ScriptedService> {
    const service = await new ScriptedService().start();
    this.#services.push(service);
    return service;
  }

  /** @param random decides which address comes first, and every jitter */
  async validator(options: ValidatorOptions, random = 0): Promise<Validator> {
    const made = this.begin(options, random);
    await made.ready();
    return made;
  }

  /** One that need not be ready yet. */
  begin(options: ValidatorOptions, random = 0): Validator {
    const made = buildValidator(options, { clock: this.clock, random: () => random });
    this.#validators.push(made);
    return made;
  }

  async clear(): Promise<void> {
    for (const each of this.#validators.splice(0)) await each.close();
    for (const each of this.#services.splice(0)) each.stop();
    this.clock = new HandClock(true);
  }
}
