// Tests of commands that are encoded once: Redis and the driver take them as the driver's own.

import { expect } from 'chai';
import { Redis } from 'ioredis';
import { encodeCommand, sendEncoded } from '../../../src/adapters/redis/encoded-command.js';
import { RedisServer } from '../../support/redis-server.js';

describe('an encoded command', () => {
  let server: RedisServer;
  let client: Redis;
  before(async () => {
    server = await RedisServer.start();
    client = new Redis(server.url);
  });
  after(async () => {
    client.disconnect();
    await server.stop();
  });

  it('gets the answer that the driver gets, each time it is sent, among others', async () => {
    await client.set('é', 'ü');
    const [get, range] = [encodeCommand('mget', ['é', 'none']), encodeCommand('xread', ['STREAMS', 'log', '0'])];
    expect(await sendEncoded(client, range)).to.equal(null);
    await client.xadd('log', '1-0', 'e', 'sé');
    const answers = await Promise.all([
      sendEncoded(client, get),
      client.get('é'),
      sendEncoded(client, range),
      sendEncoded(client, get),
      client.xread('STREAMS', 'log', '0'),
    ]);
    const log = [['log', [['1-0', ['e', 'sé']]]]];
    expect(answers).to.deep.equal([['ü', null], 'ü', log, ['ü', null], log]);
  });

  it('fails with the error of the server', async () => {
    const failure = await sendEncoded(client, encodeCommand('xread', ['STREAMS', 'é', '0'])).catch((error) => error);
    const { name, message } = failure as Error;
    expect([name, message.split(' ')[0]]).to.deep.equal(['ReplyError', 'WRONGTYPE']);
  });
});
