// Tests of the decoder of Envoy's CheckRequest, against the generated one.

import { BinaryWriter } from '@bufbuild/protobuf/wire';
import { expect } from 'chai';
import { CheckRequest } from '../../proto/gen/envoy/service/auth/v3/external_auth.js';
import { type CheckInput, decodeCheckRequest } from '../../src/grpc/codec/check-request.js';

type Headers = Readonly<Record<string, string>>;
type Received = readonly { readonly key: string; readonly value?: string; readonly rawValue?: string }[];

function encoded(headers: Headers, received: Received | undefined, extensions: Headers): Buffer {
  const headerMap = received && {
    headers: received.map(({ key, value = '', rawValue = '' }) => ({
      ...{ key, value, rawValue: Buffer.from(rawValue, 'latin1') },
    })),
  };
  const http = { headers: { ...headers }, headerMap };
  const attributes = { request: { http }, contextExtensions: { ...extensions } };
  return Buffer.from(CheckRequest.encode({ attributes }).finish());
}

/** What the generated decoder makes of the same bytes. */
function expected(bytes: Buffer): CheckInput {
  const { attributes } = CheckRequest.decode(bytes);
  const { headers = {}, headerMap } = attributes?.request?.http ?? {};
  const received = headerMap?.headers ?? [];
  const lines = received
    .filter(({ key }) => key.toLowerCase() === 'authorization')
    .map(({ value, rawValue }) => value || rawValue.toString('latin1'));
  const joined = headers['authorization'];
  return {
    authorization: joined === undefined ? lines : [joined, ...lines],
    names: [...new Set([...Object.keys(headers), ...received.map(({ key }) => key)])],
    audience: attributes?.contextExtensions['audience'],
  };
}

/** A length-delimited field around some bytes. */
const field = (number: number, ...parts: readonly Uint8Array[]): Uint8Array =>
  new BinaryWriter()
    .uint32((number << 3) | 2)
    .bytes(Buffer.concat(parts))
    .finish();
const text = (number: number, value: string): Uint8Array => field(number, Buffer.from(value));
/** A request with these fields of its HTTP part. */
const request = (...http: readonly Uint8Array[]): Buffer => Buffer.from(field(1, field(4, field(2, ...http))));

describe('the decoder of CheckRequest', () => {
  const token = `Bearer ${'a'.repeat(700)}`;
  const cases: readonly (readonly [string, Buffer])[] = [
    ['an empty request', Buffer.alloc(0)],
    ['a request without headers', encoded({}, undefined, {})],
    [
      'headers by name',
      encoded({ ':path': '/', authorization: token, 'x-id': 'é' }, undefined, { audience: 'orders', other: 'x' }),
    ],
    ['an empty Authorization header', encoded({ authorization: '' }, undefined, {})],
    ['an empty audience', encoded({}, undefined, { audience: '' })],
    [
      'headers as received',
      encoded(
        {},
        [
          { key: 'Authorization', value: token },
          { key: 'accept', value: '*/*' },
        ],
        {},
      ),
    ],
    ['headers as received, raw', encoded({}, [{ key: 'AUTHORIZATION', rawValue: 'Bearer \xe9' }, { key: 'a' }], {})],
    [
      'headers in both forms',
      encoded({ authorization: token }, [{ key: 'authorization', value: 'Bearer b' }, { key: 'authorization' }], {}),
    ],
    ['a value before its name', request(field(3, text(2, 'Bearer a'), text(1, 'authorization')))],
    [
      'a name twice: the last value counts',
      request(
        field(3, text(1, 'authorization'), text(2, 'Bearer a')),
        field(3, text(1, 'authorization'), text(2, 'Bearer b')),
      ),
    ],
    [
      'fields of other types',
      request(
        new BinaryWriter()
          .uint32((3 << 3) | 0)
          .uint32(7)
          .finish(),
        text(9, 'x'),
      ),
    ],
  ];
  for (const [what, bytes] of cases) {
    it(`reads what the generated one does: ${what}`, () => {
      const { names, ...rest } = decodeCheckRequest(bytes);
      expect({ ...rest, names: [...new Set(names)] }).to.deep.equal(expected(bytes));
    });
  }

  it('takes no field that is longer than its message, and no message that is cut off', () => {
    const whole = encoded({ authorization: token, ':path': '/' }, [{ key: 'accept', value: '*/*' }], { audience: 'a' });
    const inner = request(field(3, text(1, 'authorization'), text(2, 'Bearer a')));
    const longer = Buffer.from(inner);
    // The length of the innermost value.
    longer[longer.length - 9] = 9;
    expect(() => decodeCheckRequest(longer)).to.throw('a field is longer than its message');
    for (let length = 1; length < whole.length; length++) {
      const cut = whole.subarray(0, length);
      expect(() => decodeCheckRequest(cut), `${length} bytes`).to.throw();
    }
  });

  it('takes no end of a group that has no start', () => {
    expect(() => decodeCheckRequest(Buffer.from([(1 << 3) | 4]))).to.throw('cant skip wire type 4');
    expect(() => decodeCheckRequest(Buffer.from([0]))).to.throw('illegal tag');
  });
});
