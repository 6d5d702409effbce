import { expect, test } from 'vitest';
import { endOf, logged, queue } from '../support/background.ts';
import { calls, hangsAfter, says } from '../support/chat-server.ts';
import { startFleet } from '../support/fleet.ts';
import { startMcpServer } from '../support/mcp-server.ts';
import { collect, type StreamEvent } from '../support/stream.ts';
import { call, mcp } from '../support/tools.ts';

const isSnapshot = ({ __typename }: StreamEvent) => __typename === 'ResponseSnapshotEvent';

test('the rounds, calls and tokens of a process that died count towards the limits of the run', async () => {
  await using fleet = await startFleet();
  await using office = await startMcpServer({ tools: { ask: {} } });
  const limits = [
    [{ maxToolCalls: 2 }, {}, 'COMPLETED'],
    [{}, { maxRounds: 2 }, 'INCOMPLETE'],
    [{ maxOutputTokens: 16 }, {}, 'COMPLETED'],
  ] as const;
  for (const [input, config, status] of limits) {
    const before = fleet.upstream.exchanges.length;
    const made = office.calls.length;
    const mortal = await fleet.startMortal({ config });
    fleet.upstream.enqueue(
      calls([call('ask')]),
      hangsAfter(),
      calls([call('ask', {}, 'a'), call('ask', {}, 'b')]),
    );
    const id = await queue(mortal, { tools: [mcp('office', office)], ...input });
    await fleet.upstream.received(before + 2);
    await mortal.die();
    const app = await fleet.start({ config });
    const ended = await endOf(app, id);
    expect(ended.status).toBe(status);
    await app.app.stop();
    const [, , third, fourth] = fleet.upstream.exchanges.slice(before);
    if ('maxToolCalls' in input) {
      expect(office.calls.length - made).toBe(2);
      expect(ended.output.filter(({ error }: { error?: object }) => error)).toMatchObject([
        { error: { type: 'LIMIT' } },
      ]);
    }
    if ('maxRounds' in config)
      expect([ended.incompleteDetails.reason, fourth]).toEqual(['MAX_ROUNDS', undefined]);
    const left = [third, fourth].map(
      (each) => each?.body['max_completion_tokens'] ?? each?.body['max_tokens'],
    );
    if ('maxOutputTokens' in input) expect(left).toEqual([11, 6]);
  }
});

test('a forced choice holds in the first round only, whoever asks', async () => {
  await using fleet = await startFleet();
  await using office = await startMcpServer({ tools: { ask: {} } });
  const mortal = await fleet.startMortal();
  fleet.upstream.enqueue(calls([call('ask')]), hangsAfter(), says('Well.'));
  const toolChoice = { mcp: { serverLabel: 'office', name: 'ask' } };
  const id = await queue(mortal, { tools: [mcp('office', office)], toolChoice });
  await fleet.upstream.received(2);
  await mortal.die();
  const app = await fleet.start();
  expect(await endOf(app, id)).toMatchObject({ outputText: 'Well.' });
  const choices = fleet.upstream.exchanges.map(({ body }) => body['tool_choice'] ?? 'auto');
  expect(choices).toEqual([expect.objectContaining({ type: 'function' }), 'auto', 'auto']);
});

test('after five take-overs a run is given up', async () => {
  await using fleet = await startFleet();
  fleet.upstream.enqueue(...Array.from({ length: 6 }, (_, each) => hangsAfter(`Try ${each}`)));
  const first = await fleet.startMortal();
  const id = await queue(first);
  await logged(fleet, id, 'Try 0');
  await first.die();
  for (let each = 1; each <= 5; each++) {
    const mortal = await fleet.startMortal();
    await logged(fleet, id, `Try ${each}`);
    await mortal.die();
  }
  const app = await fleet.start();
  const message = 'This response was given up: it was taken over 5 times from servers that stopped.';
  expect(await endOf(app, id)).toMatchObject({
    status: 'FAILED',
    outputText: 'Try 5',
    output: [{ status: 'INCOMPLETE' }],
    error: { code: 'server_error', message },
  });
  const events = await collect(app, { id });
  expect(events.filter(isSnapshot)).toHaveLength(5);
  expect(fleet.upstream.exchanges).toHaveLength(6);
});

test('a server that could not list its tools is not asked again', async () => {
  await using fleet = await startFleet();
  await using office = await startMcpServer({ token: 'another-token' });
  const mortal = await fleet.startMortal();
  fleet.upstream.enqueue(hangsAfter('Half'));
  const id = await queue(mortal, { tools: [mcp('office', office)] });
  await logged(fleet, id, 'Half');
  await mortal.die();
  const sent = office.requests.length;
  const app = await fleet.start();
  expect((await endOf(app, id)).output).toMatchObject([
    { serverLabel: 'office', status: 'FAILED', error: { type: 'HTTP', code: 401 } },
    { text: 'ok' },
  ]);
  expect(office.requests).toHaveLength(sent);
});
