import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { expect, test, vi } from 'vitest';
import { createResponse } from '../support/graphql.ts';
import { startTestApp } from '../support/test-app.ts';

/** Stands between a server and its Postgres, as a firewall that forgets connections. */
async function startForgetfulFirewall(databaseUrl: string) {
  const target = new URL(databaseUrl);
  const open = new Set<Socket>();
  const server = createServer((client) => {
    const postgres = connect(Number(target.port), target.hostname);
    for (const [one, other] of [
      [client, postgres],
      [postgres, client],
    ] as const) {
      open.add(one);
      one.on('error', () => {});
      one.on('close', () => other.destroy());
      one.pipe(other);
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = new URL(databaseUrl);
  url.host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url: url.href,
    /** Lets nothing through any more on the connections there are; new ones work. */
    forget() {
      for (const socket of open) socket.unpipe().pause();
    },
    async [Symbol.asyncDispose]() {
      for (const socket of open) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

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
