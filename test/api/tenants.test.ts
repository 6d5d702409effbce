import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { calls, says } from '../support/chat-server.ts';
import { ask, createResponse, readResponse, type Target } from '../support/graphql.ts';
import { type McpTestServer, startMcpServer } from '../support/mcp-server.ts';
import { outputFor, pendingItems } from '../support/run.ts';
import { fieldsBelow, placesOfText, selectEverything } from '../support/select-everything.ts';
import { collect, textOf } from '../support/stream.ts';
import { PROBES, withoutNames } from '../support/tenant-probes.ts';
import { type Owner, settle, unheardOf } from '../support/tenant-world.ts';
import { callerOf, startTenantsApp } from '../support/tenants.ts';
import type { TestApp } from '../support/test-app.ts';
import { call } from '../support/tools.ts';

/** Texts that name nothing of anybody's. A new place that takes text belongs here, or has a probe. */
const NAMES_NOTHING = new Set([
  'AllowedToolInput.function',
  'ContentPartInput.refusal',
  'ContentPartInput.text',
  'CreateResponseInput.instructions',
  'CreateResponseInput.metadata',
  'CreateResponseInput.model',
  'CreateResponseInput.promptCacheKey',
  'CreateResponseInput.safetyIdentifier',
  'CreateResponseInput.serviceTier',
  'FileInput.filename',
  'FileSourceInput.fileData',
  'FileSourceInput.fileUrl',
  'FunctionCallInput.arguments',
  'FunctionCallInput.name',
  'FunctionToolInput.description',
  'FunctionToolInput.name',
  'FunctionToolInput.parameters',
  'ImageInput.imageUrl',
  'JsonSchemaFormatInput.description',
  'JsonSchemaFormatInput.name',
  'JsonSchemaFormatInput.schema',
  'McpApprovalResponseInput.reason',
  'McpCallInput.arguments',
  'McpCallInput.error',
  'McpCallInput.name',
  'McpCallInput.output',
  'McpCallInput.serverLabel',
  'McpListToolsInput.serverLabel',
  'McpServerToolInput.authorization',
  'McpServerToolInput.headers',
  'McpServerToolInput.serverDescription',
  'McpServerToolInput.serverLabel',
  'McpServerToolInput.serverUrl',
  'McpToolChoiceInput.name',
  'McpToolChoiceInput.serverLabel',
  'McpToolFilterInput.excludedToolNames',
  'McpToolFilterInput.toolNames',
  'McpToolInput.annotations',
  'McpToolInput.description',
  'McpToolInput.inputSchema',
  'McpToolInput.name',
  'MessageContentInput.text',
  'ReasoningInput.content',
  'ReasoningInput.encryptedContent',
  'ReasoningInput.summary',
  'ResponseInput.text',
  'ToolChoiceInput.function',
  'ToolOutputInput.text',
  'UserLocationInput.city',
  'UserLocationInput.country',
  'UserLocationInput.region',
  'UserLocationInput.timezone',
  'WebSearchCallInput.query',
  'WebSearchSourceInput.title',
  'WebSearchSourceInput.url',
  'WebSearchToolInput.allowedDomains',
]);

const SECRET = 'canary-of-the-owner';

let here: TestApp;
let elsewhere: TestApp;
let mcp: McpTestServer;
let owner: Owner;
let prober: Owner;

beforeAll(async () => {
  here = await startTenantsApp();
  elsewhere = await startTenantsApp({ beside: here });
  mcp = await startMcpServer({ tools: { write: {} } });
  owner = await settle({ app: here, caller: callerOf(here, 'owner'), secret: SECRET }, mcp);
  prober = await settle({ app: here, caller: callerOf(here, 'prober'), secret: 'word-of-the-prober' }, mcp);
});

afterAll(async () => {
  for (const each of [elsewhere, here, mcp]) await each[Symbol.asyncDispose]();
});

test('every place in the schema that takes an id or a text has a probe, or names nothing', () => {
  const known = [...Object.keys(PROBES), ...NAMES_NOTHING].toSorted();
  // A model names nothing that is anybody's own, but is looked for.
  expect(known).toEqual([...new Set(placesOfText())].toSorted());
});

test.each(['Response', 'Node', 'ItemConnection', 'ResponseConnection'])(
  'what is asked for of a %s has every field that it leads to',
  (type) => {
    expect([...selectEverything(type).fields].toSorted()).toEqual([...fieldsBelow(type)].toSorted());
  },
);

describe.each(['on the server that runs them', 'on another server'])(
  "somebody else's things, %s,",
  (where) => {
    const app = () => (where.includes('another') ? elsewhere : here);

    test('are all there for whom they belong to', async () => {
      const { belongings } = owner;
      const mine = { caller: callerOf(app(), 'owner'), own: belongings, mcp };
      for (const place of ['Query.response(id)', 'Query.node(id)', 'Query.responses(after)']) {
        expect(withoutNames(await PROBES[place]?.ask(mine, belongings), belongings)).toContain('<secret>');
      }
    });

    test.each(Object.entries(PROBES))('are as good as unheard of when given as %s', async (_, probe) => {
      const { belongings } = owner;
      const unheard = unheardOf(belongings);
      const asking = { caller: callerOf(app(), 'prober'), own: prober.belongings, mcp };
      const theirs = withoutNames(await probe.ask(asking, belongings), belongings, unheard);
      const nobodys = withoutNames(await probe.ask(asking, unheard), belongings, unheard);
      expect(theirs).toBe(nobodys);
      expect(theirs).not.toContain('<secret>');
      expect(theirs).not.toContain('INTERNAL');
    });

    test('do not show in anything that is the own', async () => {
      const { belongings } = prober;
      const asking = { caller: callerOf(app(), 'prober'), own: belongings, mcp };
      const places = Object.entries(PROBES).filter(([place]) => place.startsWith('Query.'));
      for (const [place, probe] of places) {
        const text = JSON.stringify(await probe.ask(asking, belongings));
        const { callId: _, ...theirs } = owner.belongings; // which the probes have used for calls of their own
        for (const each of Object.values(theirs)) expect(text, place).not.toContain(each);
        if (!/inputItems\((after|before)\)/.test(place)) expect(text, place).toContain(belongings.secret);
      }
    });
  },
);

test('a key and the id of a call that are equal to those of another tenant are the own', async () => {
  const both = ['owner', 'prober'].map((tenant) => callerOf(here, tenant));
  const request = { input: { text: 'Once' }, idempotencyKey: 'the same key' };
  const ids = new Set<string>();
  for (const caller of [...both, ...both]) ids.add((await createResponse(caller, request)).id);
  expect(ids.size).toBe(2);

  const asked = [];
  for (const caller of both) {
    here.upstream.enqueue(calls([call('f', {}, 'call_same')]));
    const tools = [{ function: { name: 'f', parameters: { type: 'object' } } }];
    asked.push({ caller, ...(await createResponse(caller, { input: { text: 'Call' }, tools })) });
  }
  const [first, second] = asked;
  if (first === undefined || second === undefined) throw new Error('Nobody asked.');
  const waiting = (of: typeof first) => pendingItems(of.caller, of.id);
  expect([await waiting(first), await waiting(second)]).toMatchObject([
    [{ callId: 'call_same' }],
    [{ callId: 'call_same' }],
  ]);
  here.upstream.enqueue(says('Thanks'));
  const items = [outputFor('call_same', 'done')];
  await createResponse(second.caller, { input: { items }, previousResponseId: second.id });
  expect([await waiting(first), await waiting(second)]).toMatchObject([[{ callId: 'call_same' }], []]);
});

test('whatever others have tried, runs end as they would have, and everybody is told of the own', async () => {
  const tenants: readonly (readonly [Target, Owner])[] = [
    [callerOf(here, 'owner'), owner],
    [callerOf(here, 'prober'), prober],
  ];
  const streams = tenants.flatMap(([caller, { belongings }]) =>
    [belongings.streamed, belongings.background, belongings.unstored].flatMap((id) => [
      collect(caller, { id }, 'WebSocket'),
      collect(caller, { id }, 'SSE'),
    ]),
  );
  for (const [, { finish }] of tenants) await finish();
  const texts = (await Promise.all(streams)).map(textOf);
  expect(texts).toEqual([...Array(6).fill(SECRET), ...Array(6).fill('word-of-the-prober')]);
  for (const [caller, { belongings }] of tenants) {
    for (const id of [belongings.response, belongings.continuation, belongings.asking, belongings.streamed])
      expect(await readResponse(caller, id)).toMatchObject({ id, status: 'COMPLETED' });
    const { responses } = await ask(caller, '{ responses { nodes { model } } }');
    expect(responses.nodes.length).toBeGreaterThan(4);
  }
});
