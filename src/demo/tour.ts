import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { createClient } from 'graphql-ws';
import { WebSocket } from 'ws';

/** `npm run demo`: a server with the demo model, a streamed answer, a second turn and a function call, in a terminal. */

const CREATE = `mutation ($input: CreateResponseInput!) {
  createResponse(input: $input) {
    response { id outputText pendingItems { ... on FunctionCall { callId name arguments } } }
    errors { message }
  }
}`;

const FOLLOW = `subscription ($id: ID!) {
  responseStream(id: $id, types: [OUTPUT_TEXT_DELTA]) {
    ... on OutputTextDeltaEvent { delta }
    ... on ResponseCompletedEvent { response { usage { totalTokens } } }
  }
}`;

interface Created {
  readonly id: string;
  readonly outputText: string;
  readonly pendingItems: readonly {
    readonly callId: string;
    readonly name: string;
    readonly arguments: string;
  }[];
}

interface Event {
  readonly delta?: string;
  readonly response?: { readonly usage: { readonly totalTokens: number } | null };
}

const print = (text: string) => process.stdout.write(text);

const folder = await mkdtemp(join(tmpdir(), 'responses-demo-'));
const server = startServer(folder);
try {
  const url = await listening(server);
  print(`A server runs at ${url} for the length of this tour.\n\n`);

  print('> My name is Ada\n  ');
  const first = await create(url, { input: { text: 'My name is Ada' }, stream: true });
  for await (const { delta, response } of follow(url, first.id)) {
    print(delta ?? '');
    if (response?.usage) print(`  (${response.usage.totalTokens} tokens)\n\n`);
  }

  print('> What is my name?   (continues that response)\n');
  const second = await create(url, { input: { text: 'What is my name?' }, previousResponseId: first.id });
  print(`  ${second.outputText}\n\n`);

  print('> call get_weather with {"city": "Paris"}   (a function that this program runs)\n');
  const tools = [{ function: { name: 'get_weather', parameters: { type: 'object' } } }];
  const third = await create(url, { input: { text: 'call get_weather with {"city": "Paris"}' }, tools });
  for (const { callId, name, arguments: json } of third.pendingItems) {
    print(`  the model calls ${name}(${json}); this program answers "18 °C, sunny"\n`);
    const output = { functionCallOutput: { callId, output: { text: '18 °C, sunny' } } };
    const fourth = await create(url, { input: { items: [output] }, previousResponseId: third.id, tools });
    print(`  ${fourth.outputText}\n\n`);
  }
  print('To try it yourself: npm start, then open http://127.0.0.1:4000/graphql\n');
} finally {
  server.kill('SIGTERM');
  await once(server, 'exit');
  await rm(folder, { recursive: true, force: true });
}

function startServer(dataDir: string): ChildProcess {
  const {
    npm_lifecycle_event: _,
    OPENAI_BASE_URL: _url,
    OPENAI_API_KEY: _key,
    DATABASE_URL: _db,
    ...rest
  } = process.env;
  return spawn(process.execPath, [join(import.meta.dirname, '../main.ts')], {
    env: { ...rest, PORT: '0', DATA_DIR: dataDir },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
}

async function listening({ stdout }: ChildProcess): Promise<string> {
  if (stdout === null) throw new Error('The server has no output.');
  for await (const line of createInterface(stdout)) {
    const url = /^listening on (.*)$/.exec(line)?.[1];
    if (url !== undefined) return url;
  }
  throw new Error('The server did not start.');
}

async function create(url: string, input: object): Promise<Created> {
  const answer = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ query: CREATE, variables: { input } }),
  });
  const { data, errors } = await answer.json();
  const problems = errors ?? data.createResponse.errors;
  if (problems.length > 0) throw new Error(problems[0].message);
  return data.createResponse.response;
}

async function* follow(url: string, id: string): AsyncGenerator<Event> {
  const client = createClient({ url: url.replace('http', 'ws'), webSocketImpl: WebSocket });
  for await (const { data } of client.iterate<{ responseStream: Event }>({
    query: FOLLOW,
    variables: { id },
  })) {
    if (data) yield data.responseStream;
  }
  await client.dispose();
}
