// The parts of the transport by themselves: messages out of bytes, bytes held by connections, timeouts, texts.

import type { ServerHttp2Session } from 'node:http2';
import type { Socket } from 'node:net';
import { status } from '@grpc/grpc-js';
import { expect } from 'chai';
import { failure, parseTimeout, trailers } from '../../../src/grpc/transport/head.js';
import { HeldBytes } from '../../../src/grpc/transport/held-bytes.js';
import { type CallState, Keepalive } from '../../../src/grpc/transport/keepalive.js';
import { BUSY_PING_MS } from '../../../src/grpc/transport/limits.js';
import { MessageReader } from '../../../src/grpc/transport/message-reader.js';
import { message } from '../../support/raw-http2.js';

const MIB = 1024 * 1024;

describe('a reader of messages', () => {
  it('finds them however they are cut, and takes little more room than they do', () => {
    const texts = ['', 'a', 'b'.repeat(5_000), 'c'.repeat(100)];
    const bytes = Buffer.concat(texts.map((text) => message(Buffer.from(text))));
    for (const size of [1, 2, 5, 6, 1_000, bytes.length]) {
      const reader = new MessageReader(MIB);
      const found: string[] = [];
      for (let at = 0; at < bytes.length; at += size) {
        reader.push(bytes.subarray(at, at + size));
        for (let next = reader.next(); next; next = reader.next()) found.push(next.bytes.toString());
      }
      expect(found, `${size}`).to.deep.equal(texts);
      expect(reader.capacity).to.be.below(3 * bytes.length);
    }
  });

  it('takes room for what has come, not for what is announced', () => {
    const reader = new MessageReader(MIB);
    reader.push(message(Buffer.alloc(10), { length: MIB }));
    expect(reader.capacity).to.be.below(2_048);
  });

  it('refuses a message by its prefix', () => {
    const reader = new MessageReader(100);
    expect(() => reader.push(message(Buffer.alloc(0), { length: 101 }))).to.throw('too large: 101 bytes');
  });
});

describe('bytes held', () => {
  const evicted: string[] = [];
  const holder = (name: string, address: string) => ({ address, evict: () => void evicted.push(name) });
  beforeEach(() => evicted.splice(0));

  it('are bounded: of the address that holds most the connection goes that holds most', () => {
    const held = new HeldBytes(100);
    const [honest, one, two] = [holder('honest', 'a'), holder('one', 'b'), holder('two', 'b')];
    held.take(honest, 40);
    held.take(one, 25);
    held.take(two, 30);
    expect(evicted).to.deep.equal([]);
    held.take(honest, 10);
    expect(evicted).to.deep.equal(['two']);
    expect(held.total).to.equal(75);
    held.giveBack(two, 30);
    expect(held.total).to.equal(75);
    held.giveBack(honest, 50);
    held.forget(one);
    expect(held.total).to.equal(0);
  });

  it('are refused to a connection that wants all of them', () => {
    const held = new HeldBytes(100);
    held.take(holder('greedy', 'a'), 101);
    expect(evicted).to.deep.equal(['greedy']);
    expect(held.total).to.equal(0);
  });
});

it('timeouts are of one to eight digits and a unit, however long', () => {
  const hour = 3_600_000;
  for (const [text, ms] of [
    ['1S', 1000],
    ['99999999H', 99_999_999 * hour],
    ['5m', 5],
    ['1000000n', 1],
    ['2M', 120_000],
  ] as const) {
    expect(parseTimeout(text), text).to.be.closeTo(ms, 1e-6);
  }
  for (const text of ['', '1', 'S', '123456789S', '1s', '-1S', '1.5S', ' 1S'])
    expect(parseTimeout(text), text).to.equal(undefined);
});

it('texts of a status are sent as ASCII, whatever they hold', () => {
  const sent = trailers(failure(status.INTERNAL, 'a % of é\n\ud800 "x"'));
  expect(sent['grpc-message']).to.equal('a %25 of %C3%A9%0A%EF%BF%BD "x"');
});

describe('the keepalive of a connection', () => {
  /** What it says at each time, ms, of a client that sends nothing and answers no PING. */
  const watched = (calls: CallState, timesMs: readonly number[]): (string | undefined)[] => {
    let pings = 0;
    const session = { ping: () => ++pings > 0, state: { outboundQueueSize: 0 } } as unknown as ServerHttp2Session;
    const keepalive = new Keepalive(session, { bytesRead: 0 } as Socket, 10_000);
    const startMs = performance.now();
    return timesMs.map((ms) => keepalive.sweep(startMs + ms, calls) ?? (pings > 0 ? 'pinged' : undefined));
  };

  it('notices soon that the client of a lasting call is gone, and later that of another one', () => {
    const timesMs = [9_000, 11_000, 15_000, 17_000, 61_000, 80_000, 82_000];
    expect(watched('lasting', timesMs).slice(0, 4)).to.deep.equal([undefined, 'pinged', 'pinged', 'silent']);
    expect(watched('busy', timesMs)).to.deep.equal([
      ...[undefined, undefined, undefined, undefined, 'pinged', 'pinged', 'silent'],
    ]);
  });

  interface Sweep {
    /** Since the start of the connection. */
    readonly atMs: number;
    /** The bytes since the sweep before. */
    readonly read: number;
    readonly written: number;
  }
  /** In which sweeps it pings a client that answers at once. */
  const pings = (calls: CallState, sweeps: readonly Sweep[]): readonly boolean[] => {
    let isPinged = false;
    const ping = (answered: () => void) => {
      isPinged = true;
      socket.bytesRead += 17;
      answered();
    };
    const session = { ping, state: { outboundQueueSize: 0 } } as unknown as ServerHttp2Session;
    const socket = { bytesRead: 0, bytesWritten: 0 };
    const keepalive = new Keepalive(session, socket as Socket, 10_000);
    const startMs = performance.now();
    return sweeps.map(({ atMs, read, written }) => {
      socket.bytesRead += read;
      socket.bytesWritten += written;
      isPinged = false;
      keepalive.sweep(startMs + atMs, calls);
      return isPinged;
    });
  };

  it('does not ping a session for each burst if it writes, and soon if it writes nothing after its GOAWAY', () => {
    const sweeps = (...written: readonly number[]): readonly Sweep[] =>
      written.map((each, index) => ({ atMs: BUSY_PING_MS + 500 * index, read: 20, written: each }));
    for (const calls of ['busy', 'lasting'] as const) {
      expect(pings(calls, sweeps(20, 20, 20, 20)), calls).to.deep.equal([false, false, false, false]);
      expect(pings(calls, sweeps(20, 20, 17, 0)), calls).to.deep.equal([false, false, false, true]);
    }
    expect(pings('idle', sweeps(20))).to.deep.equal([true]);
  });

  /** How many PINGs there are in two minutes, with a sweep each half second. */
  const inTwoMinutes = (calls: CallState, read: number, written: number): number =>
    pings(
      calls,
      Array.from({ length: 240 }, (_, index) => ({ atMs: 500 * (index + 1), read, written })),
    ).filter(Boolean).length;

  it('pings a silent client that answers as rarely as one that is gone', () => {
    expect(inTwoMinutes('lasting', 0, 0)).to.be.within(10, 12);
    for (const calls of ['idle', 'busy'] as const) expect(inTwoMinutes(calls, 0, 0), calls).to.be.within(1, 2);
  });

  it('pings a client that sends and is written to once a minute: what is written may not arrive', () => {
    for (const calls of ['busy', 'lasting'] as const) expect(inTwoMinutes(calls, 20, 20), calls).to.be.within(1, 2);
  });
});
