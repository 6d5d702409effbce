import { expect, test } from 'vitest';
import { calls, says } from '../support/chat-server.ts';
import { startEverythingServer } from '../support/everything-server.ts';
import { run, sentTo } from '../support/run.ts';
import { startTestApp } from '../support/test-app.ts';
import { call, mcp } from '../support/tools.ts';

const input = { text: 'Hi' };

test.each(['streamable', 'sse'] as const)(
  'the reference server over %s: listing, text, an image, progress, structure and an error',
  async (transport) => {
    await using app = await startTestApp();
    await using server = await startEverythingServer(transport);
    app.upstream.enqueue(
      calls([
        call('echo', { message: 'Hello' }),
        call('get-tiny-image'),
        call('trigger-long-running-operation', { duration: 0.3, steps: 3 }),
        call('get-structured-content', { location: 'New York' }),
        call('get-sum', { a: 'one' }),
      ]),
      calls([call('get-sum', { a: 1, b: 2 })]),
      says('Done.'),
    );
    const tools = [mcp('everything', server)];
    const response = await run(app, { input, tools });
    expect(response).toMatchObject({ status: 'COMPLETED', outputText: 'Done.' });
    const [listing, echo, image, long, structured, wrong, sum] = response.output;
    expect(listing).toMatchObject({ __typename: 'McpListTools', status: 'COMPLETED', error: null });
    const names = listing.tools.map(({ name }: { readonly name: string }) => name);
    expect(names.length).toBeGreaterThan(8);
    expect(names).toContain('get-tiny-image');
    expect(echo).toMatchObject({ status: 'COMPLETED', output: 'Echo: Hello', error: null });
    expect(image).toMatchObject({ status: 'COMPLETED', output: expect.stringContaining('image') });
    expect(image.content).toMatchObject([
      { __typename: 'InputText' },
      { __typename: 'InputImage', imageUrl: expect.stringMatching(/^data:image\/png;base64,\w+/) },
    ]);
    expect(long).toMatchObject({ status: 'COMPLETED', output: expect.stringContaining('completed') });
    expect(JSON.parse(structured.output)).toMatchObject({ temperature: expect.any(Number) });
    expect(wrong).toMatchObject({
      status: 'FAILED',
      output: null,
      error: {
        type: expect.stringMatching(/EXECUTION|PROTOCOL/),
        message: expect.stringContaining('get-sum'),
      },
    });
    expect(sum.output).toContain('3');

    // The image goes to the model after the tool messages, in the name of the user.
    const second = sentTo(app, 1).messages;
    expect(second.map(({ role }) => role)).toEqual(['user', 'assistant', ...Array(5).fill('tool'), 'user']);
    expect(second.at(-1)?.content).toMatchObject([
      { type: 'image_url', image_url: { url: image.content[1].imageUrl } },
    ]);
    const shown = sentTo(app, 0)['tools'] as { function: { name: string; parameters: unknown } }[];
    const listed = listing.tools.map((tool: { name: string; inputSchema: unknown }) => [
      tool.name,
      tool.inputSchema,
    ]);
    expect(shown.map((tool) => [tool.function.name, tool.function.parameters])).toEqual(listed);
  },
);
