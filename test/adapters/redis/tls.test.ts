// Tests of TLS to a real Redis: own CAs, client certificates, and the messages for failures.

import { writeFileSync } from 'node:fs';
import { setImmediate as immediate } from 'node:timers/promises';
import { expect } from 'chai';
import { clientMaker, connect } from '../../../src/adapters/redis/client.js';
import { RedisStore } from '../../../src/adapters/redis/redis-store.js';
import { readTls, type TlsFiles } from '../../../src/platform/tls/pem.js';
import { RecordingLog } from '../../support/recording-log.js';
import { startTlsRedis, type TlsRedis } from '../../support/tls-redis.js';
import { LOCAL, TlsScene } from '../../support/tls-scene.js';
import { elapse, until } from '../../support/waiting.js';

describe('TLS to Redis', () => {
  let tls: TlsScene;
  let redis: TlsRedis;
  let asking: TlsRedis;
  let stores: RedisStore[];

  before(async () => {
    tls = new TlsScene();
    redis = await startTlsRedis(tls, 'no');
    asking = await startTlsRedis(tls, 'yes');
  });
  beforeEach(() => {
    stores = [];
  });
  afterEach(() => Promise.all(stores.map((store) => store.close())));
  after(async () => {
    await Promise.all([redis.server.stop(), asking.server.stop()]);
    tls.clear();
  });

  const open = (url: string, files: Partial<TlsFiles> = { ca: tls.ca }) => {
    const log = new RecordingLog();
    const all = { cert: undefined, key: undefined, ca: undefined, ...files };
    const store = new RedisStore({ url, allowUnsafe: false, log, tls: () => readTls(all).pem });
    stores.push(store);
    return { store, log };
  };
  /** What the log says of why Redis cannot be reached. */
  const why = async (url: string, files?: Partial<TlsFiles>): Promise<string> => {
    const { log } = open(url, files);
    const line = () => log.lines.find(({ message }) => message === 'Redis is not reachable');
    await until(() => line() !== undefined, undefined, { seen: () => log.text });
    return String(line()?.fields['detail']);
  };
  const works = async (url: string, files?: Partial<TlsFiles>): Promise<void> => {
    const { store } = open(url, files);
    await store.opened();
    expect(await store.read([{ kind: 'birth', shard: 0 }])).to.have.length(1);
  };

  it('works with the authority of its own, by IP address and by name', async () => {
    await works(`rediss://127.0.0.1:${redis.tlsPort}`);
    await works(`rediss://localhost:${redis.tlsPort}`);
  });

  it('shows a client certificate where Redis asks for one', async () => {
    await works(`rediss://127.0.0.1:${asking.tlsPort}`, { ca: tls.ca, ...tls.pair('redis-client') });
  });

  it('says that Redis asks for a certificate, or does not know the authority of the one it got', async () => {
    const url = `rediss://127.0.0.1:${asking.tlsPort}`;
    expect(await why(url)).to.include('it requires a client certificate');
    const foreign = tls.pair('foreign-client', {}, tls.foreign);
    expect(await why(url, { ca: tls.ca, ...foreign })).to.include('it does not know the CA of our client certificate');
    const old = tls.pair('old-client', { endsInMs: -1_000 });
    expect(await why(url, { ca: tls.ca, ...old })).to.include('it has expired');
  });

  it('believes no other authority, and says so', async () => {
    const url = `rediss://:sesame@127.0.0.1:${redis.tlsPort}`;
    const words = await why(url, { ca: tls.foreignCa });
    expect(words).to.match(/^the connection to Redis failed: its certificate comes from an unknown CA \([A-Z_]+\)$/);
    // Nor the world's, whose roots are believed where none is named.
    expect(await why(url, {})).to.include('unknown CA');
  });

  it('ends no process where a handshake with an unknown CA is given up before its end', async () => {
    // In about two of five the server's alert comes after our own error.
    for (let n = 0; n < 50; n++) {
      const makeClient = clientMaker(`rediss://127.0.0.1:${redis.tlsPort}`, 1_000, () => ({ ca: tls.foreign.cert }));
      const client = makeClient();
      const connected = connect(client, async () => {}).catch(() => {});
      await immediate();
      if (client.stream.connecting) await new Promise((resolve) => client.stream.once('connect', resolve));
      client.disconnect();
      await Promise.all([connected, elapse(4, "the server's alert may come after the end")]);
    }
    // An error that nothing caught fails the test that runs.
    await elapse(20, 'an alert may come late');
  });

  it('says where TLS is spoken on one side alone', async () => {
    // It waits for the rest of what it takes for a command.
    expect(await why(`rediss://127.0.0.1:${redis.server.port}`)).to.equal(
      'connecting to Redis by TLS took longer than 1000 ms',
    );
    expect(await why(`redis://127.0.0.1:${redis.tlsPort}`)).to.include('the connection to Redis failed');
  });

  it('refuses a server whose certificate is for another name, or has expired', async () => {
    const { authority } = tls;
    const bad = { 'for another name': authority.issue({ names: ['DNS:other'] }) };
    const old = { 'has expired': authority.issue({ names: LOCAL, endsInMs: -1_000 }) };
    for (const [words, pair] of Object.entries({ ...bad, ...old })) {
      tls.replaceServer(pair);
      const { server, tlsPort } = await startTlsRedis(tls, 'no');
      try {
        expect(await why(`rediss://127.0.0.1:${tlsPort}`)).to.include(words);
      } finally {
        await server.stop();
        tls.replaceServer(authority.issue({ names: LOCAL }));
      }
    }
  });

  it('reads its files anew for each connection', async () => {
    const ca = tls.pair('changing').cert;
    writeFileSync(ca, tls.foreign.cert);
    const { store, log } = open(`rediss://127.0.0.1:${redis.tlsPort}`, { ca });
    const opened = store.opened();
    await until(() => log.text.includes('unknown CA'));
    writeFileSync(ca, tls.authority.cert);
    await opened;
    await redis.server.cutConnections();
    await until(() => log.lines.filter(({ message }) => message === 'Redis is reachable').length >= 2);
  });
});
