// What tests allow a busy machine: this long may it keep a process from what it would do at once.

/** Put to each time that is promised, ms; less than any fault that the tests look for would take. */
export const BUSY_MS = 400;
