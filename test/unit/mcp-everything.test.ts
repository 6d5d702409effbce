import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type EverythingServer, startEverythingServer } from '../support/everything-server.ts';
import { failureOf, startMcpRun } from '../support/mcp-run.ts';

describe.each(['streamable', 'sse'] as const)('the reference server, over %s', (transport) => {
  let server: EverythingServer;
  beforeAll(async () => {
    server = await startEverythingServer(transport);
  });
  afterAll(() => server[Symbol.asyncDispose]());

  test('its tools are listed, with their schemas and annotations', async () => {
    await using run = startMcpRun(server);
    const tools = await run.list();
    expect(tools.map(({ name }) => name)).toEqual(
      expect.arrayContaining(['echo', 'get-sum', 'get-tiny-image', 'trigger-long-running-operation']),
    );
    expect(tools.find(({ name }) => name === 'get-sum')).toEqual({
      name: 'get-sum',
      description: 'Returns the sum of two numbers',
      inputSchema: {
        $schema: 'http://json-schema.org/draft-07/schema#',
        type: 'object',
        properties: {
          a: { type: 'number', description: 'First number' },
          b: { type: 'number', description: 'Second number' },
        },
        required: ['a', 'b'],
      },
      annotations: { readOnlyHint: true, destructiveHint: false, idempotentHint: true, openWorldHint: false },
    });
  });

  test('a text is given back', async () => {
    await using run = startMcpRun(server);
    expect(await run.call('echo', { message: 'Grüße' })).toEqual([
      { type: 'input_text', text: 'Echo: Grüße' },
    ]);
  });

  test('the texts around an image become one part, the image another', async () => {
    await using run = startMcpRun(server);
    expect(await run.call('get-tiny-image')).toEqual([
      { type: 'input_text', text: "Here's the image you requested:\nThe image above is the MCP logo." },
      {
        type: 'input_image',
        imageUrl: expect.stringMatching(/^data:image\/png;base64,iVBORw0KGgo/),
        detail: 'auto',
      },
    ]);
  });

  test('a tool that reports its progress gives its result in the end', async () => {
    await using run = startMcpRun(server);
    const text = 'Long running operation completed. Duration: 0.2 seconds, Steps: 2.';
    expect(await run.call('trigger-long-running-operation', { duration: 0.2, steps: 2 })).toEqual([
      { type: 'input_text', text },
    ]);
  });

  test('structured content is not given again beside its text', async () => {
    await using run = startMcpRun(server);
    const text = '{"temperature":33,"conditions":"Cloudy","humidity":82}';
    expect(await run.call('get-structured-content', { location: 'New York' })).toEqual([
      { type: 'input_text', text },
    ]);
  });

  test('links to resources are named in the text', async () => {
    await using run = startMcpRun(server);
    const [part] = await run.call('get-resource-links', { count: 2 });
    expect(part).toEqual({
      type: 'input_text',
      text: [
        'Here are 2 resource links to resources available in this server:',
        '[Blob Resource 1, text/plain, demo://resource/dynamic/blob/1]',
        '[Text Resource 2, text/plain, demo://resource/dynamic/text/2]',
      ].join('\n'),
    });
  });

  test('arguments that the tool does not take fail with what it says about them', async () => {
    await using run = startMcpRun(server);
    const { type, message } = await failureOf(run.call('get-sum', { a: 'one' }));
    expect(type).toBe('execution');
    expect(message).toContain('Invalid arguments for tool get-sum');
  });

  test('a tool that does not exist fails with the name', async () => {
    await using run = startMcpRun(server);
    const { message } = await failureOf(run.call('no-such-tool'));
    expect(message).toContain('no-such-tool');
  });
});
