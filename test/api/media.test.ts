import { expect, test } from 'vitest';
import { calls } from '../support/chat-server.ts';
import { ask, ITEM_FIELDS } from '../support/graphql.ts';
import { run, sentTo } from '../support/run.ts';
import { startTestApp } from '../support/test-app.ts';

const PNG = 'data:image/png;base64,iVBORw0KGgo=';
const PDF = 'data:application/pdf;base64,JVBERi0=';
const PARTS = [
  { text: 'See ' },
  { image: { imageUrl: 'https://example.com/a.png' } },
  { image: { imageUrl: PNG, detail: 'ORIGINAL' } },
  { file: { filename: 'a.pdf', source: { fileData: PDF } } },
  { file: { source: { fileUrl: 'https://example.com/b.pdf' } } },
];
const MEDIA = [
  { type: 'image_url', image_url: { url: 'https://example.com/a.png', detail: 'auto' } },
  { type: 'image_url', image_url: { url: PNG, detail: 'high' } },
  { type: 'file', file: { filename: 'a.pdf', file_data: PDF } },
  { type: 'file', file: { file_data: 'https://example.com/b.pdf' } },
];
const SHOWN = [
  { __typename: 'InputText', text: 'See ' },
  { __typename: 'InputImage', imageUrl: 'https://example.com/a.png', detail: 'AUTO' },
  { __typename: 'InputImage', imageUrl: PNG, detail: 'ORIGINAL' },
  { __typename: 'InputFile', filename: 'a.pdf', fileData: PDF, fileUrl: null },
  { __typename: 'InputFile', filename: null, fileData: null, fileUrl: 'https://example.com/b.pdf' },
];

test('images and files in a message reach the model, in this turn and in the next', async () => {
  await using app = await startTestApp();
  const items = [{ message: { content: { parts: PARTS } } }];
  const first = await run(app, { input: { items } });
  const said = { role: 'user', content: [{ type: 'text', text: 'See ' }, ...MEDIA] };
  expect(sentTo(app).messages).toEqual([said]);
  await run(app, { input: { text: 'And?' }, previousResponseId: first.id });
  expect(sentTo(app).messages[0]).toEqual(said);
  expect(await inputOf(app, first.id)).toMatchObject([{ text: 'See ', content: SHOWN }]);
});

test('images and files of tool outputs follow the tool messages of the round, in one user message', async () => {
  await using app = await startTestApp();
  const tools = [{ function: { name: 'camera' } }, { function: { name: 'scanner' } }];
  app.upstream.enqueue(
    calls([
      { name: 'camera', arguments: '{}' },
      { name: 'scanner', arguments: '{}' },
    ]),
  );
  const first = await run(app, { input: { text: 'Look' }, tools });
  const output = (callId: string, parts: readonly object[]) => ({
    functionCallOutput: { callId, output: { parts } },
  });
  const items = [
    output('call_scanner_1', PARTS.slice(3)),
    output('call_camera_0', [...PARTS.slice(0, 3), { text: 'there' }]),
    { message: { content: { text: 'Well?' } } },
  ];
  const second = await run(app, { input: { items }, previousResponseId: first.id });
  expect(sentTo(app).messages.slice(2)).toEqual([
    { role: 'tool', tool_call_id: 'call_camera_0', content: 'See there' },
    { role: 'tool', tool_call_id: 'call_scanner_1', content: '' },
    { role: 'user', content: MEDIA },
    { role: 'user', content: 'Well?' },
  ]);
  expect(await inputOf(app, second.id)).toMatchObject([
    { output: null, content: SHOWN.slice(3) },
    { output: 'See there', content: [...SHOWN.slice(0, 3), { text: 'there' }] },
    { text: 'Well?' },
  ]);
});

/** The response's own input as it is read back. */
async function inputOf(app: { readonly url: string }, id: string) {
  const query = `query Input($id: ID!) {
    inputItems(responseId: $id, order: ASC, scope: OWN) { nodes { ...ItemFields } }
  } ${ITEM_FIELDS}`;
  return (await ask(app, query, { id })).inputItems.nodes;
}
