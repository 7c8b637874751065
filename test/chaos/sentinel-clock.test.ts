// Proof that a stepped clock of a Sentinel is shown in what it would change, and in nothing else.

import { expect } from 'chai';
import { SentinelClock } from './sentinel-clock.js';

const bulk = (text: string): string => `$${text.length}\r\n${text}\r\n`;
const answer = (reportedMs: string): string =>
  `*4\r\n${['role-reported-time', reportedMs, 'port', '6379'].map(bulk).join('')}`;

describe('the clock of a Sentinel, as its callers see it', () => {
  const through = (clock: SentinelClock, text: string, cutAt = text.length): string => {
    const filter = clock.filter();
    const parts = [text.slice(0, cutAt), text.slice(cutAt)];
    return parts.map((part) => filter(Buffer.from(part)).toString()).join('');
  };

  it('changes nothing unless it was stepped', () => {
    expect(through(new SentinelClock(), answer('20'))).to.equal(answer('20'));
  });

  it('adds a step to all that was before it, and to nothing that came after', () => {
    const clock = new SentinelClock();
    clock.step(60_000);
    expect(through(clock, answer('5000'))).to.equal(answer('65000'));
    expect(through(clock, answer('0'))).to.equal(answer('0'));
    clock.step(-60_000);
    expect(through(clock, answer('5000'))).to.equal(answer('5000'));
  });

  it('does so wherever an answer is cut', () => {
    const clock = new SentinelClock();
    clock.step(1_600);
    const text = `+OK\r\n:1\r\n$-1\r\n${answer('5000')}`;
    for (let at = 0; at <= text.length; at++) {
      expect(through(clock, text, at), `cut at ${at}`).to.equal(text.replace(bulk('5000'), bulk('6600')));
    }
  });

  it('changes no number of another field', () => {
    const clock = new SentinelClock();
    clock.step(1_600);
    expect(through(clock, `*2\r\n${bulk('config-epoch')}${bulk('12')}`)).to.equal(
      `*2\r\n${bulk('config-epoch')}${bulk('12')}`,
    );
  });
});
