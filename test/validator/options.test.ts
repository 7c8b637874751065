// The proof that options are checked: every fault at once, with what was found and what is wanted.

import { expect } from 'chai';
import type { ValidateOptions, ValidatorOptions } from '../../src/validator/api.js';
import { readOptions, readStaleness } from '../../src/validator/options.js';

const ADDRESS = 'auth.internal:50051';

describe('the options of a validator', () => {
  it('have defaults, and read durations as the settings of the service do', () => {
    expect(readOptions({ address: ADDRESS })).to.deep.equal({
      ...{ source: 'answers', whenStale: 'ask' },
      ...{ addresses: [{ host: 'auth.internal', port: 50_051 }], audience: [], issuer: undefined, tls: undefined },
      ...{ maxStalenessMs: 2_000, deadlineMs: 1_000, maxRemembered: 100_000, maxCalls: 8, maxWaiting: 10_000 },
    });
    const { maxStalenessMs, deadlineMs, addresses, audience } = readOptions({
      ...{ address: [ADDRESS, '[::1]:50052'], audience: 'orders', maxStaleness: '500ms', deadline: 250 },
    });
    expect({ maxStalenessMs, deadlineMs, audience }).to.deep.equal({
      ...{ maxStalenessMs: 500, deadlineMs: 250, audience: ['orders'] },
    });
    expect(addresses[1]).to.deep.equal({ host: '::1', port: 50_052 });
  });

  it('with faults are refused by one message that names every fault and what is wanted', () => {
    const wrong = {
      ...{ address: ['https://auth', 'auth:0'], maxStaleness: '2 seconds', deadline: 5, maxCalls: 0, maxWaiting: 1.5 },
      ...{
        maxRemembered: -1,
        audience: [''],
        tls: { cert: 'c.pem' },
        maxStalenes: 1,
        source: 'push',
        whenStale: 'wait',
      },
    } as unknown as ValidatorOptions;
    expect(() => readOptions(wrong))
      .to.throw(TypeError, 'address is "https://auth"; wanted is host:port')
      .with.property('message')
      .that.satisfies((message: string) =>
        [
          ...['address is "auth:0"', 'maxStaleness is "2 seconds"; wanted is 1ms to 1h', 'deadline is 5'],
          ...['maxCalls is 0; wanted is a whole number', 'maxWaiting is 1.5', 'maxRemembered is -1', 'audience is ""'],
          ...[
            'source is "push"; wanted is \'answers\'',
            "whenStale is \"wait\"; wanted is 'ask' or 'throw'",
            'only one of cert and key',
            'there is no option "maxStalenes"',
          ],
        ].every((part) => message.includes(part)),
      );
    expect(() => readOptions({ address: [] })).to.throw(TypeError, 'address is missing');
  });

  it('that are not what they should be are refused in words, and an empty list of audiences, which would allow all', () => {
    const faultOf = (wrong: unknown): string => {
      try {
        readOptions(wrong as ValidatorOptions);
        return 'none';
      } catch (error) {
        return error instanceof TypeError ? error.message : String(error);
      }
    };
    expect(faultOf(undefined)).to.include('createValidator: the options are undefined; wanted is an object');
    expect(faultOf('auth:50051')).to.include('the options are "auth:50051"');
    expect(faultOf({ address: ADDRESS, whenStale: 'throw' })).to.include('whenStale has no meaning without the feed');
    expect(faultOf({ address: ADDRESS, whenStale: 'throw', source: 'auto' })).to.equal('none');
    expect(faultOf({ address: 50_051 })).to.include('address is 50051; wanted is host:port');
    expect(faultOf({ address: null })).to.include('address is null; wanted is host:port');
    expect(faultOf({ address: ADDRESS, audience: null })).to.include('audience is null');
    expect(faultOf({ address: ADDRESS, audience: 7 })).to.include('audience is 7');
    expect(faultOf({ address: ADDRESS, audience: [] })).to.include('audience is an empty list');
    for (const tls of [null, 'ca.pem', 1]) {
      expect(faultOf({ address: ADDRESS, tls })).to.include(
        `tls is ${JSON.stringify(tls)}; wanted is true or an object`,
      );
    }
  });

  it('for one token give the age of its answer, or none for a strict one', () => {
    expect(readStaleness({}, 2_000)).to.equal(2_000);
    expect(readStaleness({ maxStaleness: '100ms' }, 2_000)).to.equal(100);
    expect(readStaleness({ consistency: 'strict' }, 2_000)).to.equal(undefined);
    expect(() => readStaleness({ consistency: 'strict', maxStaleness: 1 }, 2_000)).to.throw(TypeError, 'omit one');
    expect(() => readStaleness({ consistency: 'strong' } as unknown as ValidateOptions, 1)).to.throw(
      TypeError,
      '"strong"',
    );
    expect(() => readStaleness({ maxStaleness: 0 }, 2_000)).to.throw(TypeError, 'maxStaleness is 0');
  });
});
