// The handler of WatchRevocations: reads pings, and sends what the feed has, one message at a time.

import { Metadata, status } from '@grpc/grpc-js';
import type { WatchRevocationsRequest } from '../../../proto/gen/auth/v1/auth_service.js';
import { InvalidInput } from '../../core/errors.js';
import type { Decoded } from '../codec/decoding.js';
import type { Feed, Follower } from '../feed/feed.js';
import type { Watcher } from '../feed/watcher.js';
import { statusOf, TOO_MANY_WATCHERS } from '../status.js';
import { StatusError, type StreamingCall, type StreamingHandler } from '../transport/method.js';

/** Room for a ping, and for fields of later versions. */
export const MAX_WATCH_REQUEST_BYTES = 1024;

const STOPPING = { code: status.UNAVAILABLE, details: 'the service is stopping', metadata: new Metadata() };

type Call = StreamingCall<Decoded<WatchRevocationsRequest>, Buffer>;

export const watchRevocations =
  (feed: Feed): StreamingHandler<Decoded<WatchRevocationsRequest>, Buffer> =>
  async (call) => {
    const first = await call.read();
    if (first === undefined) return;
    if (first instanceof InvalidInput) throw new StatusError(statusOf(first));
    if (!first.start) throw refused('the first message must be `start`');
    const watcher = feed.newWatcher();
    if (!watcher) throw new StatusError(TOO_MANY_WATCHERS);
    const send = sender(call, watcher);
    const follower: Follower = { watcher, send, stop: () => call.end(STOPPING) };
    const leave = feed.follow(follower);
    try {
      send();
      await call.readEach((message) => takePing(message, follower, feed));
      // A client that sends no pings may close its half, and watch on.
      await call.ended;
    } finally {
      leave();
    }
  };

/** @throws StatusError */
function takePing(message: Decoded<WatchRevocationsRequest>, follower: Follower, feed: Feed): void {
  if (message instanceof InvalidInput) throw new StatusError(statusOf(message));
  if (!message.ping) throw refused('every message after the first must be a ping');
  if (!follower.watcher.ping(message.ping.id)) throw refused('the id of a ping must be higher than the one before');
  feed.pinged(follower, message.ping.urgent);
}

/** Sends the next message once the transport has taken the one before: nothing queues for a slow reader. */
function sender(call: Call, watcher: Watcher): () => void {
  let isSending = false;
  const send = (): void => {
    if (isSending || call.isCancelled) return;
    const message = watcher.next();
    if (!message) return;
    isSending = true;
    call.send(message, sent);
  };
  const sent = (): void => {
    isSending = false;
    send();
  };
  return send;
}

const refused = (description: string): StatusError =>
  new StatusError(statusOf(new InvalidInput({ field: 'request', reason: 'INVALID', description })));
