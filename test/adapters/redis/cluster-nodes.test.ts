// Tests of the parser of CLUSTER NODES: nodes, owners and addresses.

import { expect } from 'chai';
import { parseNodes } from '../../../src/adapters/redis/topology/cluster-nodes.js';
import { redirectOf } from '../../../src/adapters/redis/topology/redirect.js';

const ASKED = { host: 'seed', port: 7000 };
const TEXT = [
  'aaa :7000@17000 myself,master - 0 0 1 connected 0-127 400 [500->-bbb] [639-<-bbb]',
  'bbb 10.0.0.2:7001@17001,b.internal master - 0 1 2 connected 128-399 401-16383',
  'ccc fd00::3:7002@17002 slave bbb 0 1 2 connected',
  'ddd 10.0.0.4:7003@17003 master,fail - 1 1 0 disconnected',
  'eee :0@0 master,noaddr - 1 1 0 disconnected',
  'fff 10.0.0.6:7005@17005 handshake - 1 1 0 connected',
  '',
].join('\n');

describe('CLUSTER NODES', () => {
  it('names the members, their addresses and roles, and leaves out who is none', () => {
    const { self, nodes } = parseNodes(TEXT, ASKED) ?? {};
    expect(self).to.equal('aaa');
    expect(nodes?.map(({ id, address, role }) => `${id} ${address.host} ${address.port} ${role}`)).to.deep.equal([
      'aaa seed 7000 primary',
      'bbb 10.0.0.2 7001 primary',
      'ccc fd00::3 7002 replica',
      'ddd 10.0.0.4 7003 failed',
    ]);
    expect(nodes?.[2]?.follows).to.equal('bbb');
  });

  it('says which node has the slot of each shard, also while one is moving', () => {
    const { owners } = parseNodes(TEXT, ASKED) ?? {};
    // Slots 127, 383 and 639.
    const [own, other] = [
      { server: 'aaa', epoch: 1 },
      { server: 'bbb', epoch: 2 },
    ];
    expect(owners?.slice(0, 3)).to.deep.equal([own, other, other]);
    expect(owners).to.have.length(64).and.not.include(undefined);
    const bare = parseNodes('aaa 10.0.0.1:7000@17000 myself,master - 0 0 1 connected 0-127 639', ASKED);
    expect(bare?.owners.slice(0, 4)).to.deep.equal([own, undefined, own, undefined]);
  });

  it('names where the answering node moves the slots of shards to', () => {
    const moving = parseNodes('aaa 10.0.0.1:7000@17000 myself,master - 0 0 1 connected 0-127 [127->-bbb]', ASKED);
    expect([...(moving?.destinations ?? [])]).to.deep.equal([[0, 'bbb']]);
    // Slot 500 is none of ours, and slot 639 is on its way in.
    expect(parseNodes(TEXT, ASKED)?.destinations.size).to.equal(0);
  });

  it('is nothing without the node that sends it', () => {
    expect(parseNodes('bbb 10.0.0.2:7001@17001 master - 0 1 2 connected 0-16383', ASKED)).to.equal(undefined);
  });
});

describe('a redirection', () => {
  const reply = (message: string): Error => Object.assign(new Error(message), { name: 'ReplyError' });

  it('is distinguished from every other error', () => {
    expect(redirectOf(reply('MOVED 127 10.0.0.1:7000'))).to.equal('moved');
    expect(redirectOf(reply('TRYAGAIN Multiple keys request during rehashing of slot'))).to.equal('split');
    expect(redirectOf(reply('ASK 127 fd00::1:7000'))).to.equal('ask');
    expect(redirectOf(reply('READONLY You cannot write'))).to.equal(undefined);
    expect(redirectOf(new Error('MOVED 127 10.0.0.1:7000'))).to.equal(undefined);
  });
});
