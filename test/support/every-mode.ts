import { calls, hangsAfter } from './chat-server.ts';
import type { Look } from './every-tool.ts';
import { startMcpServer } from './mcp-server.ts';
import { startTestApp, type TestApp } from './test-app.ts';
import { call, mcp } from './tools.ts';

/** A process that looks after nothing: one that has died, as soon as that is declared. */
const MORTAL = { lease: { leaseMs: 3_600_000, renewMs: 3_600_000, sweepMs: 3_600_000 } };

const input = { text: 'Hi' };

/**
 * What shows of runs in the background, of one that is taken over, of cancelling and of limits. `app` takes no more
 * than two runs at once that somebody waits for or follows.
 */
export async function useEveryMode(app: TestApp, look: Look): Promise<void> {
  await takeOver(app, look);
  const streamed = { input, stream: true };
  app.upstream.enqueue(hangsAfter('a'), hangsAfter('b'));
  const held = [await look.start(streamed), await look.start(streamed)];
  await look.start(streamed); // one too many
  for (const { response } of held) {
    await look.cancel(response.id);
    await look.cancel(response.id);
  }
  const { response } = await look.start({ input });
  await look.cancel(response.id);
  await look.cancel('none');
}

async function takeOver(app: TestApp, look: Look): Promise<void> {
  await using server = await startMcpServer({
    tools: { wait: { run: () => new Promise<string>(() => {}) } },
  });
  const busy = { maxBackgroundRuns: 1 };
  await using mortal = await startTestApp({ beside: app, timing: MORTAL, config: busy });
  app.upstream.enqueue(calls([call('wait')]));
  const secret = { authorization: 'Bearer secret' };
  const tools = [mcp('open', server, { allowedTools: { toolNames: [] } }), mcp('secret', server, secret)];
  const id = await queueAt(mortal, tools);
  await server.called(1);
  const waiting = await queueAt(mortal, tools); // for the process that has the secrets
  await app.database.sql`
    update processes p set ended_at = now() from responses r where r.id = ${id} and p.id = r.process_id`;
  // Whoever queues something looks for what else waits.
  const { response } = await look.start({ input, background: true });
  for (const each of [id, waiting, response.id]) {
    await look.watch(each);
    await look.read(each);
  }
}

async function queueAt({ url }: TestApp, tools: readonly object[]): Promise<string> {
  const query = `mutation ($input: CreateResponseInput!) { createResponse(input: $input) { response { id } } }`;
  const answer = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ query, variables: { input: { input, tools, background: true } } }),
  });
  const { data } = (await answer.json()) as { data: { createResponse: { response: { id: string } } } };
  return data.createResponse.response.id;
}
