import { expect, test } from 'vitest';
import { calls, json, says } from '../support/chat-server.ts';
import { ask, create, createResponse, ITEM_FIELDS } from '../support/graphql.ts';
import { type McpTestServer, startMcpServer } from '../support/mcp-server.ts';
import { pendingItems, run, sentTo } from '../support/run.ts';
import { startTestApp, type TestApp } from '../support/test-app.ts';
import { answer, call, mcpAsking, typesOf } from '../support/tools.ts';

const input = { text: 'Clean up.' };
const NO_FAILURE = json(400, { error: { message: 'No.' } });

const startDisk = (options: object = {}) =>
  startMcpServer({ tools: { remove: { run: ({ path }) => `removed ${path}` }, list: {} }, ...options });

/** A response that waits for the approval of these calls. */
async function asks(app: TestApp, disk: McpTestServer, ...paths: readonly string[]) {
  app.upstream.enqueue(calls(paths.map((path) => call('remove', { path }))));
  const response = await run(app, { input, tools: [mcpAsking('disk', disk)] });
  const requests = await pendingItems(app, response.id);
  return { id: response.id, response, requests, ids: requests.map(({ id }: { id: string }) => id) };
}

const answering = (id: string, disk: McpTestServer, ...items: readonly object[]) => ({
  previousResponseId: id,
  input: { items },
  tools: [mcpAsking('disk', disk)],
});

async function answersOf(app: TestApp, id: string) {
  const query = `query Answer($id: ID!) {
    node(id: $id) {
      ... on McpApprovalRequest { answer { approve reason response { id } approvalRequest { id } } }
      ... on McpCall { approvalRequest { id name answer { approve } } }
    }
  }`;
  return (await ask(app, query, { id })).node;
}

test('a call that needs approval ends the run, is made once approved, and the model goes on', async () => {
  await using app = await startTestApp();
  await using disk = await startDisk();
  const first = await asks(app, disk, '/tmp');
  expect(first.response).toMatchObject({ status: 'COMPLETED' });
  expect(typesOf(first.response.output)).toEqual(['McpListTools', 'McpApprovalRequest']);
  expect(first.requests).toMatchObject([
    { serverLabel: 'disk', name: 'remove', arguments: '{"path":"/tmp"}', status: 'COMPLETED', error: null },
  ]);
  expect(disk.calls).toEqual([]);
  expect(await answersOf(app, first.ids[0])).toEqual({ answer: null });

  app.upstream.enqueue(says('Gone.'));
  const second = await run(app, answering(first.id, disk, answer(first.ids[0], true, 'Go ahead.')));
  expect(second.output).toMatchObject([
    {
      __typename: 'McpCall',
      status: 'COMPLETED',
      arguments: '{"path":"/tmp"}',
      output: 'removed /tmp',
      approvalRequestId: first.ids[0],
    },
    { __typename: 'Message', text: 'Gone.' },
  ]);
  expect(disk.calls.map(({ args }) => args)).toEqual([{ path: '/tmp' }]);
  expect(sentTo(app).messages.slice(1)).toMatchObject([
    { role: 'assistant', tool_calls: [{ id: 'call_remove_0', function: { name: 'remove' } }] },
    { role: 'tool', tool_call_id: 'call_remove_0', content: 'removed /tmp' },
  ]);
  expect(await pendingItems(app, first.id)).toEqual([]);
  expect(await answersOf(app, first.ids[0])).toEqual({
    answer: {
      approve: true,
      reason: 'Go ahead.',
      response: { id: second.id },
      approvalRequest: { id: first.ids[0] },
    },
  });
  expect(await answersOf(app, second.output[0].id)).toEqual({
    approvalRequest: { id: first.ids[0], name: 'remove', answer: { approve: true } },
  });
  const inputItems = `query ($id: ID!) { inputItems(responseId: $id, scope: OWN) { nodes { ...ItemFields } } } ${ITEM_FIELDS}`;
  expect((await ask(app, inputItems, { id: second.id })).inputItems.nodes).toMatchObject([
    { __typename: 'McpApprovalResponse', approve: true, approvalRequestId: first.ids[0] },
  ]);
});

test('of several requests some are approved, some denied, and the rest counts as not approved', async () => {
  await using app = await startTestApp();
  await using disk = await startDisk();
  const { id, ids } = await asks(app, disk, '/a', '/b', '/c', '/d');
  const items = [answer(ids[3], true), answer(ids[1], false, 'Still needed.'), answer(ids[0], true)];
  const second = await run(app, answering(id, disk, ...items));
  expect(typesOf(second.output)).toEqual(['McpCall', 'McpCall', 'Message']);
  expect(disk.calls.map(({ args }) => args['path']).sort()).toEqual(['/a', '/d']);
  const [, said, ...told] = sentTo(app).messages;
  expect(said?.['tool_calls']).toHaveLength(4);
  expect(told.map(({ content }) => content)).toEqual([
    'removed /a',
    expect.stringContaining('Still needed.'),
    'This call was not approved.',
    'removed /d',
  ]);
  expect(await pendingItems(app, id)).toMatchObject([{ id: ids[2] }]);

  // Later in the branch it can still be answered; the tool message stands where the call does.
  const third = await run(app, answering(second.id, disk, answer(ids[2], true)));
  expect(third.output[0]).toMatchObject({ output: 'removed /c', approvalRequestId: ids[2] });
  expect(sentTo(app).messages[4]).toMatchObject({ role: 'tool', content: 'removed /c' });
  expect(await pendingItems(app, id)).toEqual([]);
});

test('answered by two requests at the same moment, the call is made once and the other is a conflict', async () => {
  await using app = await startTestApp();
  await using other = await startTestApp({ beside: app });
  await using disk = await startDisk();
  for (let round = 1; round <= 8; round++) {
    const { id, ids } = await asks(app, disk, `/${round}`, `/${round}/more`);
    const both = answering(id, disk, answer(ids[0], true), answer(ids[1], true));
    const one = answering(id, disk, answer(ids[1], true));
    const results = await Promise.all([create(app, both), create(other, both), create(other, one)]);
    const won = results.filter(({ response }) => response !== null);
    expect(won).toHaveLength(1);
    expect(won[0].response).toMatchObject({ status: 'COMPLETED' });
    for (const { response, errors } of results) {
      if (response !== null) continue;
      const path = ['input', 'items', expect.any(String), 'mcpApprovalResponse', 'approvalRequestId'];
      expect(errors.length).toBeGreaterThan(0);
      for (const error of errors)
        expect(error).toMatchObject({ __typename: 'ConflictError', code: 'APPROVAL_ALREADY_ANSWERED', path });
    }
  }
  const paths = disk.calls.map(({ args }) => args['path']);
  expect(new Set(paths).size).toBe(paths.length);
});

test('the same request twice with one idempotency key is one answer', async () => {
  await using app = await startTestApp();
  await using disk = await startDisk();
  const { id, ids } = await asks(app, disk, '/tmp');
  const request = { ...answering(id, disk, answer(ids[0], true)), idempotencyKey: 'once' };
  const responses = await Promise.all([1, 2, 3].map(() => createResponse(app, request)));
  expect(new Set(responses.map((response) => response.id)).size).toBe(1);
  expect(disk.calls).toHaveLength(1);
});

test('the approval brings the secrets again; without them nothing is called and it can be given once more', async () => {
  await using app = await startTestApp();
  await using disk = await startDisk({ token: 'the-secret-token' });
  const secret = { authorization: 'the-secret-token' };
  app.upstream.enqueue(calls([call('remove', { path: '/tmp' })]));
  const first = await run(app, { input, tools: [mcpAsking('disk', disk, secret)] });
  const [{ id }] = await pendingItems(app, first.id);
  const second = await run(app, answering(first.id, disk, answer(id, true)));
  expect(second.output[0]).toMatchObject({ status: 'FAILED', error: { type: 'HTTP', code: 401 } });
  expect(await pendingItems(app, first.id)).toMatchObject([{ id }]);

  const again = { ...answering(first.id, disk, answer(id, true)), tools: [mcpAsking('disk', disk, secret)] };
  expect((await run(app, again)).output[0]).toMatchObject({ status: 'COMPLETED', output: 'removed /tmp' });
  expect((await create(app, again)).errors).toMatchObject([{ code: 'APPROVAL_ALREADY_ANSWERED' }]);
  expect(disk.calls).toHaveLength(1);
});

test('a denial that the model never heard of can be given again; a call that was made cannot', async () => {
  await using app = await startTestApp();
  await using disk = await startDisk();
  const { id, ids } = await asks(app, disk, '/a', '/b');
  app.upstream.enqueue(NO_FAILURE);
  const failed = await run(app, answering(id, disk, answer(ids[0], false), answer(ids[1], true)));
  expect(failed).toMatchObject({ status: 'FAILED', output: [{ output: 'removed /b' }] });
  expect(await pendingItems(app, id)).toMatchObject([{ id: ids[0] }]);
  // The failed response can be continued: what was called is told.
  await run(app, { previousResponseId: failed.id, input: { text: 'Well?' } });
  expect(sentTo(app).messages.filter(({ role }) => role === 'tool')).toMatchObject([
    { content: expect.stringContaining('not approve') },
    { content: 'removed /b' },
  ]);
});

test.each([
  ['all but some names', { never: { toolNames: ['list'] } }, ['McpApprovalRequest', 'McpCall']],
  ['some names only', { always: { toolNames: ['remove'] }, never: {} }, ['McpApprovalRequest', 'McpCall']],
  ['what is not read only', { never: { readOnly: true } }, ['McpApprovalRequest', 'McpCall']],
  [
    'nothing that is excluded',
    { never: { excludedToolNames: ['remove'] } },
    ['McpApprovalRequest', 'McpCall'],
  ],
  [
    'everything, if neither filter matches',
    { never: { toolNames: [] } },
    Array(2).fill('McpApprovalRequest'),
  ],
])('approval of %s', async (_, filter, expected) => {
  await using app = await startTestApp();
  const tools = { remove: {}, list: { annotations: { readOnlyHint: true } } };
  await using disk = await startMcpServer({ tools });
  app.upstream.enqueue(calls([call('remove'), call('list')]));
  const response = await run(app, {
    input,
    tools: [mcpAsking('disk', disk, { requireApproval: { filter } })],
  });
  expect(typesOf(response.output)).toEqual(['McpListTools', ...expected]);
  expect(await pendingItems(app, response.id)).toHaveLength(
    expected.filter((type) => type === 'McpApprovalRequest').length,
  );
});

test('a call whose arguments are no object is not put to the client: the model is told', async () => {
  await using app = await startTestApp();
  await using disk = await startDisk();
  app.upstream.enqueue(calls([{ name: 'remove', arguments: '{"path":' }]), says('Sorry.'));
  const response = await run(app, { input, tools: [mcpAsking('disk', disk)] });
  expect(response).toMatchObject({ status: 'COMPLETED', outputText: 'Sorry.' });
  expect(response.output[1]).toMatchObject({ status: 'FAILED', error: { type: 'INVALID_ARGUMENTS' } });
  expect(await pendingItems(app, response.id)).toEqual([]);
  const path = ['input', 'items', '0', 'mcpApprovalResponse', 'approvalRequestId'];
  const { errors } = await create(app, answering(response.id, disk, answer(response.output[1].id, true)));
  expect(errors).toMatchObject([{ code: 'INVALID_INPUT', path }]);
});

test('answers that do not fit are refused by name', async () => {
  await using app = await startTestApp();
  await using disk = await startDisk();
  const { id, ids } = await asks(app, disk, '/a');
  const elsewhere = await asks(app, disk, '/b');
  const path = ['input', 'items', '0', 'mcpApprovalResponse', 'approvalRequestId'];
  const refusal = async (request: object) => (await create(app, { ...request })).errors;
  for (const unknown of ['mcpr_1', `mcpr_${'0'.repeat(32)}`, id])
    expect(await refusal(answering(id, disk, answer(unknown, true)))).toMatchObject([
      { __typename: 'NotFoundError', code: 'APPROVAL_NOT_FOUND', path },
    ]);
  const otherBranch = [{ code: 'INVALID_INPUT', path, message: expect.stringContaining('another branch') }];
  expect(await refusal(answering(id, disk, answer(elsewhere.ids[0], true)))).toMatchObject(otherBranch);
  const { previousResponseId: _, ...alone } = answering(id, disk, answer(ids[0], true));
  expect(await refusal(alone)).toMatchObject(otherBranch);
  expect(await refusal(answering(id, disk, answer(ids[0], true), answer(ids[0], false)))).toMatchObject([
    { code: 'INVALID_INPUT', path: path.with(2, '1'), message: expect.stringContaining('twice') },
  ]);
  const moved = { ...disk, url: `${disk.url}/other` };
  for (const tools of [[], [mcpAsking('disk', moved)], [mcpAsking('tape', disk)]])
    expect(await refusal({ ...answering(id, disk, answer(ids[0], true)), tools })).toMatchObject([
      { code: 'INVALID_INPUT', path: ['tools'], message: expect.stringContaining('"disk"') },
    ]);
  expect(await refusal({ ...answering(id, disk, answer(ids[0], true)), store: false })).toMatchObject([
    { code: 'INVALID_INPUT', path: ['input', 'items', '0', 'mcpApprovalResponse'] },
    { code: 'INVALID_INPUT', path: ['tools', '0', 'mcp', 'requireApproval'] },
  ]);
  expect(disk.calls).toEqual([]);
  // A denial needs no server.
  const denied = await run(app, { ...answering(id, disk, answer(ids[0], false)), tools: [] });
  expect(denied.status).toBe('COMPLETED');
  expect(await pendingItems(app, id)).toEqual([]);
});

test('an approved call that this request does not allow, or has no calls left for, is not made', async () => {
  await using app = await startTestApp();
  await using disk = await startDisk();
  const { id, ids } = await asks(app, disk, '/a', '/b');
  const narrow = [mcpAsking('disk', disk, { allowedTools: { toolNames: ['list'] } })];
  const blocked = await run(app, { ...answering(id, disk, answer(ids[0], true)), tools: narrow });
  expect(
    blocked.output.find(({ __typename }: { __typename: string }) => __typename === 'McpCall'),
  ).toMatchObject({
    status: 'FAILED',
    error: { type: 'BLOCKED' },
  });
  const limited = { ...answering(id, disk, answer(ids[0], true), answer(ids[1], true)), maxToolCalls: 1 };
  expect((await run(app, limited)).output).toMatchObject([
    { output: 'removed /a' },
    { status: 'FAILED', error: { type: 'LIMIT' } },
    { __typename: 'Message' },
  ]);
  expect(await pendingItems(app, id)).toMatchObject([{ id: ids[1] }]);
  expect(disk.calls).toHaveLength(1);
});
