// Owns the refusal of a Redis that may forget what it was told: a denylist that evicts brings the dead back.

/** The server may evict entries, or does not let us see whether it may. Waiting does not help: it must be set right. */
export class UnsafeStore extends Error {
  readonly code = 'UNSAFE_STORE';
  override readonly name = 'UnsafeStore';

  /** @param policy the server's `maxmemory-policy`; undefined: it could not be read */
  constructor(policy: string | undefined) {
    const found =
      policy === undefined
        ? 'the maxmemory-policy of Redis could not be read (the user needs the command INFO)'
        : `the maxmemory-policy of Redis is ${policy}: it may evict an entry, and with that revive an ended session`;
    super(
      `${found}. Set it with \`redis-cli CONFIG SET maxmemory-policy noeviction\`, and for the next start with the ` +
        'line `maxmemory-policy noeviction` in redis.conf; or accept the risk with ALLOW_UNSAFE_STORE=true',
    );
  }
}
