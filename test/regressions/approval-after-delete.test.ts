import { expect, test, vi } from 'vitest';
import { logged } from '../support/background.ts';
import { expectDeleted } from '../support/branches.ts';
import { calls, feed } from '../support/chat-server.ts';
import { create, createResponse } from '../support/graphql.ts';
import { startMcpServer } from '../support/mcp-server.ts';
import { pendingItems, run } from '../support/run.ts';
import { startTestApp } from '../support/test-app.ts';
import { answer, call, mcpAsking } from '../support/tools.ts';
import { holdCommit } from './hold-commit.ts';

test('an approved call that was made is not approved again after its response was deleted at the moment of its end', async () => {
  await using app = await startTestApp();
  await using disk = await startMcpServer({ tools: { remove: {} } });
  const upstream = feed();
  app.upstream.enqueue(calls([call('remove')]), upstream.answer);
  const tools = [mcpAsking('disk', disk)];
  const first = await run(app, { input: { text: 'Hi' }, tools });
  const [request] = await pendingItems(app, first.id);
  const approve = { previousResponseId: first.id, input: { items: [answer(request.id, true)] }, tools };
  const second = await createResponse(app, { ...approve, stream: true });
  await upstream.say('Removed.');
  await logged(app, second.id, 'Removed.');
  await using end = await holdCommit(app.database, 'response.completed');
  await upstream.end();
  await end.reached();
  const deleted = expectDeleted(app, second.id);
  await vi.waitUntil(end.isWaitedFor, { interval: 10, timeout: 5000 });
  await end.letGo();
  await deleted;

  expect(await create(app, approve)).toMatchObject({
    response: null,
    errors: [{ code: 'APPROVAL_ALREADY_ANSWERED' }],
  });
  expect(disk.calls).toHaveLength(1);
});
