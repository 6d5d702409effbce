import { expect, test, vi } from 'vitest';
import { startForgetfulFirewall } from '../support/forgetful-firewall.ts';
import { createResponse } from '../support/graphql.ts';
import { startTestApp } from '../support/test-app.ts';

const LEASE = { leaseMs: 1500, renewMs: 200, sweepMs: 500 };

test('a process whose connections all fall silent lives again with new ones', async () => {
  await using direct = await startTestApp();
  const { sql } = direct.database;
  const known = (await sql`select id from processes`).map(({ id }) => id);
  await using firewall = await startForgetfulFirewall(direct.database.url);
  const config = { databaseUrl: firewall.url };
  await using app = await startTestApp({ beside: direct, config, timing: { lease: LEASE } });
  const input = { input: { text: 'Hi' } };
  await Promise.all(Array.from({ length: 5 }, () => createResponse(app, input)));
  firewall.forget();
  const [{ silentSince }] = await sql<[{ silentSince: string }]>`select now()::text as "silentSince"`;
  // One that was under way may still have come through.
  const renewals = () => sql`
    select id from processes where id not in ${sql(known)} and ended_at is null
      and expires_at - ${LEASE.leaseMs} * interval '1 ms' > ${silentSince}::timestamptz + interval '100 ms'`;
  await vi.waitUntil(async () => (await renewals()).length > 0, { interval: 20, timeout: 5000 });
  expect(await createResponse(app, input)).toMatchObject({ status: 'COMPLETED', outputText: 'ok' });
});
