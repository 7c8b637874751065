// The options of a client's gRPC channel to the service: quick reconnects, pings, and a connection of its own.

import type { ChannelOptions } from '@grpc/grpc-js';

export const CLIENT_CHANNEL: ChannelOptions = {
  // The client finds a service that returns within two seconds, also under a new address.
  'grpc.initial_reconnect_backoff_ms': 100,
  'grpc.max_reconnect_backoff_ms': 1_000,
  'grpc.dns_min_time_between_resolutions_ms': 1_000,
  // Pings detect a peer that vanished within two seconds; TCP alone would need minutes. The deadline of a call is
  // shorter than that. A peer that is too slow for a ping is too slow for a call, too.
  'grpc.keepalive_time_ms': 1_000,
  'grpc.keepalive_timeout_ms': 1_000,
  'grpc.keepalive_permit_without_calls': 1,
  // A connection that no other client shares, so that `close` closes it. `http_proxy` must not divert it.
  'grpc.use_local_subchannel_pool': 1,
  'grpc.enable_http_proxy': 0,
  // Channelz counts and times every call and message, and no process here serves those figures.
  'grpc.enable_channelz': 0,
};
