// `latchkey oauth client`: the entry of an OAuth client for the file in OAUTH_CLIENTS, from a secret on standard input.

import { createHash } from 'node:crypto';
import { CLIENT_NAME, CLIENT_RIGHTS, clientEntry, isClientName, MIN_CLIENT_SECRET } from '../settings/oauth-clients.js';
import type { CommandIo } from './command-io.js';
import { UsageError } from './usage.js';

/** Prints the entry. The secret is only read: it is in no argument, which other users of the machine could see. */
export async function oauthClient(io: CommandIo, id: string, rightsText: string): Promise<void> {
  if (!isClientName(id)) throw new UsageError(`the id of a client must be ${CLIENT_NAME}`);
  const names = rightsText.split(',').map((name) => name.trim());
  const rights = CLIENT_RIGHTS.filter((right) => names.includes(right));
  if (rights.length === 0 || rights.length < new Set(names).size) {
    throw new UsageError(`--rights: found ${rightsText}, wanted one or more of ${CLIENT_RIGHTS.join(', ')}`);
  }
  // One line end is not a part of it, as in files of secrets.
  const secret = (await io.readInput()).replace(/\r?\n$/, '');
  if (secret.length < MIN_CLIENT_SECRET) {
    const found = secret === '' ? 'no secret' : `a secret of ${secret.length} characters`;
    throw new UsageError(`${found} on standard input, wanted ${MIN_CLIENT_SECRET} random characters or more`);
  }
  const secretHashes = [createHash('sha256').update(secret).digest('hex')];
  io.printResult(`${clientEntry({ id, secretHashes, rights })}\n`);
}
