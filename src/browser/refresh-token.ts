// Where the refresh token is kept: in memory, or in a storage of the page. In cookie mode no script has it.

import type { TokenStorage } from './api.js';

/** Reads the refresh token, and replaces it. Null: there is none. */
export type KeptRefreshToken = readonly [
  load: () => string | null | Promise<string | null>,
  save: (text: string | null) => unknown,
];

/** @param storage undefined: in memory */
export function keepRefreshToken(storage: TokenStorage | undefined, key: string): KeptRefreshToken {
  let kept: string | null = null;
  return [
    () => (storage ? storage.getItem(key) : kept),
    (text) => {
      kept = text;
      return text ? storage?.setItem(key, text) : storage?.removeItem(key);
    },
  ];
}
