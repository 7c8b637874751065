// The refresh token of a page: in its storage, or in memory alone. In cookie mode it is empty: the browser keeps it.

import type { SessionOptions } from './api.js';

type Load = () => string | null | Promise<string | null>;
type Save = (text: string | null) => unknown;

/** @param key the name in the storage */
export function keptToken(mode: SessionOptions['mode'], key: string): readonly [Load, Save] {
  const storage = typeof mode === 'object' ? mode : undefined;
  let kept: string | null = null;
  return [
    () => (storage ? storage.getItem(key) : kept),
    (text) => {
      kept = text;
      return text ? storage?.setItem(key, text) : storage?.removeItem(key);
    },
  ];
}
