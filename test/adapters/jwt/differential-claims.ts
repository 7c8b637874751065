// The payloads of the differential fuzz: good claims, and how they are changed at random.

import fc from 'fast-check';

export type Kind = 'access' | 'refresh';

export const NOW_S = 1_800_000_000;
export const PARTIES = { issuer: 'https://id.example', audience: ['api', 'web'] };
export const TYP: Readonly<Record<Kind, string>> = { access: 'at+jwt', refresh: 'rt+jwt' };

/** A UUIDv7, and another with the other three values of the variant's bits. */
export const GOOD_SIDS = ['01a20377-79de-7f89-969c-a4e3d0e9a198', '01a20377-79de-7000-b000-000000000000'] as const;
const [SID] = GOOD_SIDS;

const identified = (kind: Kind, sid: string, gen: number) => ({ sid, gen, jti: `${kind.charAt(0)}${sid}.${gen}` });

export const goodClaims = (kind: Kind) => ({
  token_type: kind as string,
  iss: PARTIES.issuer,
  aud: 'api',
  sub: 'alice',
  ...identified(kind, SID, 3),
  iat: NOW_S - 10,
  exp: NOW_S + 60,
});

export const encode = (value: unknown): string =>
  Buffer.from(typeof value === 'string' ? value : (JSON.stringify(value) ?? '')).toString('base64url');

const oddJson = fc.oneof(
  fc.constantFrom<unknown>(null, true, '', '0', 0, -1, 1.5, 1e300, [], {}, [[]], 'none', '\ud800', 2 ** 31, 2 ** 53),
  fc.jsonValue({ maxDepth: 3 }),
);
export const change = <T extends object>(base: T, more: readonly string[]): fc.Arbitrary<Record<string, unknown>> => {
  const names = [...Object.keys(base), ...more];
  const one = fc.tuple(fc.constantFrom(...names), fc.option(oddJson, { nil: undefined, freq: 4 }));
  return fc.array(one, { maxLength: 2 }).map((changes) => ({ ...base, ...Object.fromEntries(changes) }));
};

const ODD_SIDS = [
  ...[...GOOD_SIDS, SID.toUpperCase(), `${SID}\n`, ` ${SID}`, `{${SID}}`, `${SID}:s`, `${SID}\u0000`, ''],
  ...[
    '01a20377-79de-4f89-969c-a4e3d0e9a198',
    '01a20377-79de-7f89-c69c-a4e3d0e9a198',
    '01a2037779de7f89969ca4e3d0e9a198',
  ],
];
const ODD_SUBJECTS = [
  ...['{alice}', 'u:alice', 'alice\n', '\r\n', ' ', '\u0000', '__proto__', 'é', '\ufffd', '\ud800', '\udc00\ud800'],
  ...['x'.repeat(255), 'x'.repeat(256), 'é'.repeat(127), 'é'.repeat(128), '😀'.repeat(63), '😀'.repeat(64)],
];
/** Numbers as no serializer would write them. */
const ODD_NUMBERS = ['1e400', '-0', '1.80000006e9', '1800000060.0', '1800000060.5', '-1', '"1800000060"', '18e8'];

export const payloadsOf = (kind: Kind): fc.Arbitrary<string> => {
  const good = goodClaims(kind);
  const text = JSON.stringify(good);
  const nearNow = fc.integer({ min: NOW_S - 5, max: NOW_S + 5 });
  const more = ['nbf', 'adopted', 'role', '__proto__', 'constructor', 'cnf'];
  return fc.oneof(
    { weight: 16, arbitrary: change(good, more).map(encode) },
    { weight: 4, arbitrary: fc.record({ exp: nearNow, nbf: nearNow }).map((times) => encode({ ...good, ...times })) },
    {
      weight: 2,
      arbitrary: fc.constantFrom(...ODD_SIDS).map((sid) => encode({ ...good, ...identified(kind, sid, 3) })),
    },
    { weight: 2, arbitrary: fc.constantFrom(...ODD_SUBJECTS).map((sub) => encode({ ...good, sub })) },
    {
      weight: 2,
      arbitrary: fc
        .tuple(fc.constantFrom('exp', 'iat', 'gen'), fc.constantFrom(...ODD_NUMBERS))
        .map(([name, number]) => encode(text.replace(new RegExp(`"${name}":\\d+`), `"${name}":${number}`))),
    },
    {
      weight: 1,
      // A key twice; and one that JSON.parse makes no property of any other object.
      arbitrary: fc.constantFrom('"sub":"bob"', '"exp":1', '"__proto__":{"exp":1}').map((last) => {
        return encode(`${text.slice(0, -1)},${last}}`);
      }),
    },
    { weight: 1, arbitrary: fc.nat(40).map((depth) => encode({ ...good, deep: nested(depth) })) },
    {
      weight: 1,
      arbitrary: fc.integer({ min: 5_600, max: 6_000 }).map((pad) => encode({ ...good, pad: 'x'.repeat(pad) })),
    },
    {
      weight: 1,
      arbitrary: fc.constantFrom('[]', 'null', '1', '"x"', '', '{', `\ufeff${text}`, ` ${text}\n`).map(encode),
    },
    {
      weight: 1,
      arbitrary: fc.constantFrom('['.repeat(4_000), '['.repeat(100_000), '{"a":'.repeat(1_000)).map(encode),
    },
    // Bytes that are no UTF-8.
    {
      weight: 1,
      arbitrary: fc.constant(Buffer.from(text.replace('alice', 'al\u00ffce'), 'latin1').toString('base64url')),
    },
  );
};

const nested = (depth: number): unknown =>
  depth === 0 ? 0 : depth % 2 === 0 ? [nested(depth - 1)] : { a: nested(depth - 1) };
