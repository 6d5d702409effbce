import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

const run = promisify(execFile);
const PROJECT = join(import.meta.dirname, '../..');

const PAGED = `
  @argumentDefinitions(count: { type: "Int", defaultValue: 20 }, cursor: { type: "String" })`;

/** What a Relay app writes: pagination, refetching by node(id:), a mutation and a subscription. */
const DOCUMENTS = {
  History: `
    fragment History_query on Query @refetchable(queryName: "HistoryPageQuery") ${PAGED} {
      responses(first: $count, after: $cursor) @connection(key: "History_responses") {
        edges { node { id status ...Conversation_response ...Branches_response } }
      }
    }`,
  Conversation: `
    fragment Conversation_response on Response @refetchable(queryName: "ConversationPageQuery") ${PAGED} {
      inputItems(first: $count, after: $cursor) @connection(key: "Conversation_inputItems") {
        edges { node { __typename id ... on Message { role text } ...Call_item } }
      }
    }`,
  Branches: `
    fragment Branches_response on Response @refetchable(queryName: "BranchesPageQuery") ${PAGED} {
      continuations(first: $count, after: $cursor) @connection(key: "Branches_continuations") {
        edges { node { id outputText } }
      }
    }`,
  Call: `
    fragment Call_item on Item @refetchable(queryName: "CallQuery") {
      status
      ... on FunctionCall { name arguments error { type message } }
    }`,
  App: 'query AppQuery { ...History_query }',
  Create: `
    mutation CreateMutation($input: CreateResponseInput!, $connections: [ID!]!) {
      createResponse(input: $input) {
        response @prependNode(connections: $connections, edgeTypeName: "ResponseEdge") { id status output { id } }
        errors { __typename code message path }
      }
    }`,
  Delete: `
    mutation DeleteMutation($input: DeleteResponseInput!, $connections: [ID!]!) {
      deleteResponse(input: $input) { deletedId @deleteRecord @deleteEdge(connections: $connections) errors { code } }
    }`,
  Stream: `
    subscription StreamSubscription($id: ID!, $after: String) {
      responseStream(id: $id, after: $after) {
        __typename
        sequenceNumber
        cursor
        ... on ResponseLifecycleEvent { response { id status outputText } }
        ... on OutputItemAddedEvent { itemId item { id ...Call_item } }
        ... on OutputTextDeltaEvent { itemId contentIndex delta }
      }
    }`,
};

async function compile(documents: { readonly [name: string]: string }) {
  const folder = await mkdtemp(join(tmpdir(), 'relay-'));
  try {
    await mkdir(join(folder, 'src/artifacts'), { recursive: true });
    await cp(join(PROJECT, 'schema.graphql'), join(folder, 'schema.graphql'));
    for (const [name, text] of Object.entries(documents)) {
      await writeFile(join(folder, `src/${name}.ts`), `graphql\`${text}\`;\n`);
    }
    const config = {
      src: 'src',
      schema: 'schema.graphql',
      language: 'typescript',
      artifactDirectory: 'src/artifacts',
    };
    await writeFile(join(folder, 'relay.config.json'), JSON.stringify(config));
    const compiler = join(PROJECT, 'node_modules/relay-compiler/cli.js');
    const outcome = await run(process.execPath, [compiler, 'relay.config.json'], { cwd: folder }).then(
      ({ stdout }) => stdout,
      ({ stdout, stderr }) => `FAILED ${stdout}${stderr}`,
    );
    return { outcome, artifacts: await readdir(join(folder, 'src/artifacts')) };
  } finally {
    await rm(folder, { recursive: true });
  }
}

test("Relay's compiler takes the schema and what a Relay app asks of it", async () => {
  const { outcome, artifacts } = await compile(DOCUMENTS);
  expect(outcome).not.toContain('FAILED');
  expect(artifacts.sort()).toEqual(
    [
      'AppQuery',
      'BranchesPageQuery',
      'Branches_response',
      'CallQuery',
      'Call_item',
      'ConversationPageQuery',
      'Conversation_response',
      'CreateMutation',
      'DeleteMutation',
      'HistoryPageQuery',
      'History_query',
      'StreamSubscription',
    ]
      .map((name) => `${name}.graphql.ts`)
      .sort(),
  );
});

test('it refuses what the schema does not have', async () => {
  const { outcome } = await compile({ App: 'query AppQuery { response(id: "x") { outputTxt } }' });
  expect(outcome).toMatch(/FAILED[\s\S]*outputTxt/);
});
