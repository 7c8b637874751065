// What a tab learns from outside: messages of other tabs, a network that is back, a page that is shown again.

/** How a new access token came: with a new session, or by a refresh of the session that there was. */
export type Began = 'signedIn' | 'refreshed';

/** A new access token and when it was asked for, of a new session or not; or the end of the session. */
export type TabMessage =
  | readonly [kind: Began, access: string, atMs: number]
  | readonly [kind: 'signedOut', access?: undefined, atMs?: undefined];

export interface Tabs {
  send(message: TabMessage): void;
  close(): void;
}

// The part of the browser that is used: this module is also compiled without the types of the DOM.
declare class BroadcastChannel {
  onmessage: ((event: { readonly data: TabMessage }) => void) | null;
  constructor(name: string);
  postMessage(message: TabMessage): void;
  close(): void;
}
type PageListener = (event: { readonly persisted?: boolean }) => void;
declare const addEventListener:
  | ((type: string, listener: PageListener, options: { readonly signal: AbortSignal }) => void)
  | undefined;

/**
 * @param name of the channel between tabs; empty: the session is of this tab alone
 * @param onOnline called when the network is back
 * @param onRestored called when the page comes from the back-forward cache, where it has received no message
 */
export function joinTabs(
  name: string,
  onMessage: (message: TabMessage) => void,
  onOnline: () => void,
  onRestored: () => void,
): Tabs {
  const left = new AbortController();
  let channel: BroadcastChannel | undefined;
  const open = (): void => {
    if (!name) return;
    try {
      channel = new BroadcastChannel(name);
      channel.onmessage = ({ data }) => onMessage(data);
    } catch {
      // Firefox has none where the user blocks cookies. Then each tab refreshes for itself.
    }
  };
  const leave = (): void => {
    channel?.close();
    channel = undefined;
  };
  // On a server, which renders pages, there are no tabs; an open channel would keep Node running.
  if (typeof addEventListener === 'function') {
    open();
    addEventListener('online', onOnline, left);
    // An open channel would keep the page out of the back-forward cache, or throw it out with the first message.
    addEventListener('pagehide', leave, left);
    addEventListener(
      'pageshow',
      ({ persisted }) => {
        if (!persisted) return;
        open();
        onRestored();
      },
      left,
    );
  }
  return {
    send: (message) => channel?.postMessage(message),
    close() {
      leave();
      left.abort();
    },
  };
}
