import { SignJWT, UnsecuredJWT } from 'jose';
import { expect, test } from 'vitest';
import { AUTH_TIMES } from '../../src/server/auth/authenticator.ts';
import { feed } from '../support/chat-server.ts';
import { createResponse, readResponse, send } from '../support/graphql.ts';
import { type Claims, type Issuer, startIssuer } from '../support/issuer.ts';
import { introduce } from '../support/keys.ts';
import { follow } from '../support/stream.ts';
import { startTestApp } from '../support/test-app.ts';

function startTokenApp({ settings }: Issuer) {
  const auth = { ...AUTH_TIMES, cacheMs: 0, jwksCooldownMs: 0 };
  return startTestApp({ config: { auth: { mode: 'jwt', ...settings } }, timing: { auth } });
}

/** What a caller with this token is told, over HTTP and over WebSocket. */
async function outcome(app: { readonly url: string }, token: string) {
  const authorization = `Bearer ${token}`;
  const answer = await send({ ...app, authorization }, '{ __typename }');
  const { isIn, socket, closed } = await introduce(app, { params: { authorization } });
  if (isIn) socket.close();
  const { code } = await closed;
  return {
    http: answer.errors?.[0]?.extensions?.['code'] ?? answer.data.__typename,
    socket: isIn ? 'in' : code,
  };
}

const IN = { http: 'Query', socket: 'in' };
const REFUSED = { http: 'UNAUTHENTICATED', socket: 4401 };

test.concurrent('a token of the issuer lets in as the tenant that it names, and as nobody else', async () => {
  await using issuer = await startIssuer();
  await using app = await startTokenApp(issuer);
  const owls = { ...app, authorization: `Bearer ${await issuer.token()}` };
  const bats = { ...app, authorization: `Bearer ${await issuer.token({ tenant: 'bats' })}` };
  const response = await createResponse(owls, { input: { text: 'Hi' } });
  expect(await readResponse(owls, response.id)).toEqual(response);
  expect(await readResponse(bats, response.id)).toBeNull();
  expect(await outcome(app, await issuer.token())).toEqual(IN);
});

test.concurrent('a token that does not hold in any one way lets nobody in', async () => {
  await using issuer = await startIssuer();
  await using stranger = await startIssuer();
  await using app = await startTokenApp(issuer);
  const claims: { readonly [name: string]: Claims } = {
    'another issuer': { iss: 'https://evil.example/' },
    'another audience': { aud: 'other' },
    'no tenant': { tenant: undefined },
    'a tenant that is no name': { tenant: 'a b' },
    'a tenant that is no text': { tenant: ['owls'] },
    expired: { expiresIn: -60 },
    'no end': { expiresIn: null },
    'not good yet': { notBefore: 60 },
  };
  for (const [name, wrong] of Object.entries(claims))
    expect(await outcome(app, await issuer.token(wrong)), name).toEqual(REFUSED);
  const good = await issuer.token();
  const [head = '', payload = '', signature = ''] = good.split('.');
  const forged = Buffer.from(payload, 'base64url').toString().replace('"owls"', '"bats"');
  // Whoever has the public key could sign with it, if that were taken for a secret.
  const secret = new TextEncoder().encode(JSON.stringify(issuer.publicKey));
  const symmetric = new SignJWT({ tenant: 'owls' })
    .setProtectedHeader({ alg: 'HS256', kid: issuer.publicKey.kid ?? '' })
    .setIssuer(issuer.settings.issuer)
    .setAudience(issuer.settings.audience)
    .setExpirationTime('1h');
  const unsigned = new UnsecuredJWT({ tenant: 'owls' })
    .setIssuer(issuer.settings.issuer)
    .setAudience(issuer.settings.audience)
    .setExpirationTime('1h');
  const tokens = {
    'signed by somebody else': await stranger.token({ iss: issuer.settings.issuer }),
    'changed after it was signed': [head, Buffer.from(forged).toString('base64url'), signature].join('.'),
    'without its signature': `${head}.${payload}.`,
    'signed with the public key': await symmetric.sign(secret),
    unsigned: unsigned.encode(),
    'no token': 'nonsense',
    'half a token': good.slice(0, 40),
    'a long one': `${'a'.repeat(4000)}.${'b'.repeat(4000)}.c`,
  };
  for (const [name, token] of Object.entries(tokens))
    expect(await outcome(app, token), name).toEqual(REFUSED);
  expect(await outcome(app, good)).toEqual(IN);
});

test.concurrent('clocks may differ by some seconds', async () => {
  await using issuer = await startIssuer();
  await using app = await startTokenApp(issuer);
  expect(await outcome(app, await issuer.token({ notBefore: 5 }))).toEqual(IN);
  expect(await outcome(app, await issuer.token({ expiresIn: -20 }))).toEqual(REFUSED);
  const { http } = await outcome(app, await issuer.token({ expiresIn: -4 }));
  expect(http).toBe('Query');
});

test.concurrent('keys of the issuer that are new are fetched, and those that are gone count no more', async () => {
  await using issuer = await startIssuer();
  await using app = await startTokenApp(issuer);
  const old = await issuer.token();
  expect(await outcome(app, old)).toEqual(IN);
  expect(issuer.asked).toBe(1);
  await issuer.rotate();
  expect(await outcome(app, await issuer.token())).toEqual(IN);
  expect(issuer.asked).toBe(2);
  expect(await outcome(app, old)).toEqual(REFUSED);
});

test.concurrent('an issuer that cannot be reached makes nobody unauthorized, and lets nobody in', async () => {
  await using issuer = await startIssuer();
  await using app = await startTokenApp(issuer);
  issuer.setBroken(true);
  const token = await issuer.token();
  expect(await outcome(app, token)).toEqual({ http: 'UNAVAILABLE', socket: 1013 });
  const answer = await fetch(`${app.url}?query={__typename}`, {
    headers: { authorization: `Bearer ${token}` },
  });
  expect(answer.status).toBe(503);
  issuer.setBroken(false);
  expect(await outcome(app, token)).toEqual(IN);
});

test.concurrent('what is connected with a token ends with it', async () => {
  await using issuer = await startIssuer();
  await using app = await startTokenApp(issuer);
  const lasting = { ...app, authorization: `Bearer ${await issuer.token()}` };
  const upstream = feed();
  app.upstream.enqueue(upstream.answer);
  const { id } = await createResponse(lasting, { input: { text: 'Hi' }, stream: true });
  await upstream.say('Well');
  // With what clocks may differ by, it ends in some three seconds.
  const ending = { ...app, authorization: `Bearer ${await issuer.token({ expiresIn: -6 })}` };
  const ends = await Promise.all(
    (['WebSocket', 'SSE'] as const).map((transport) =>
      Array.fromAsync(follow(ending, { id }, transport)).catch((error: unknown) => error),
    ),
  );
  expect(ends).toMatchObject([
    { code: 4401, reason: 'Unauthorized' },
    { errors: [{ extensions: { code: 'UNAUTHENTICATED' } }] },
  ]);
  expect(await readResponse(lasting, id)).toMatchObject({ status: 'IN_PROGRESS' });
  await upstream.end();
});
