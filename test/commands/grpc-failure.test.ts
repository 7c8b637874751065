// Tests of the message that a user of the command line gets for a failed call.

import { Metadata, type ServiceError, status } from '@grpc/grpc-js';
import { expect } from 'chai';
import { describeFailure } from '../../src/commands/grpc-failure.js';

const failure = (code: status, details: string): ServiceError =>
  Object.assign(new Error(`${code} ${status[code]}: ${details}`), { code, details, metadata: new Metadata() });

const TARGET = { address: { host: '127.0.0.1', port: 1 }, setting: 'ISSUER_ADDRESS', tls: undefined };
const described = (code: status, details: string): string => describeFailure(failure(code, details), TARGET);

describe('a failed call', () => {
  it('of a service that is not there has its address and what to do', () => {
    const noise = 'No connection established. Last error: Error: connect ECONNREFUSED 127.0.0.1:1. Resolution note: x';
    expect(described(status.UNAVAILABLE, noise)).to.equal(
      'no service can be reached at 127.0.0.1:1: connect ECONNREFUSED 127.0.0.1:1; start it, or set ISSUER_ADDRESS',
    );
    expect(described(status.UNAVAILABLE, 'Name resolution failed for target dns:nowhere:1')).to.equal(
      'no service can be reached at 127.0.0.1:1: Name resolution failed for target dns:nowhere:1; start it, or set ISSUER_ADDRESS',
    );
  });

  it('that the service itself refused has the words of the service', () => {
    expect(described(status.UNAVAILABLE, 'the store cannot answer; try again')).to.equal(
      'UNAVAILABLE: the store cannot answer; try again',
    );
    expect(described(status.UNAUTHENTICATED, 'wrong credential')).to.equal('UNAUTHENTICATED: wrong credential');
  });

  it('that is no failure of gRPC keeps its text', () => {
    expect(describeFailure(new Error('other'), TARGET)).to.equal('other');
  });
});
