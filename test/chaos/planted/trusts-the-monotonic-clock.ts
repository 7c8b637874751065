// A planted bug, loaded before a validator: only the monotonic clock measures the age of what the feed delivered.

import { FeedKnowledge } from '../../../src/validator/feed/feed-knowledge.js';
import type { Moment } from '../../../src/validator/freshness.js';

const { decide, ping } = FeedKnowledge.prototype;
const byOne = ({ monotonicMs }: Moment): Moment => ({ monotonicMs, wallMs: monotonicMs });

FeedKnowledge.prototype.ping = function (now) {
  return ping.call(this, byOne(now));
};
FeedKnowledge.prototype.decide = function (subject, now, demand) {
  return decide.call(this, subject, byOne(now), demand);
};
