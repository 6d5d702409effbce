import fc from 'fast-check';
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest';
import { arbitraryInput } from '../support/fuzz/arbitrary-input.ts';
import { conversation, converse } from '../support/fuzz/frames.ts';
import { type FuzzedServer, startFuzzedServer } from '../support/fuzz/fuzzed-server.ts';
import { expectedOf, readBack } from '../support/fuzz/read-back.ts';
import { exchange, request } from '../support/fuzz/requests.ts';
import { createResponse } from '../support/graphql.ts';

/** `FUZZ_RUNS=10000 npx vitest run test/api/fuzz.test.ts` takes minutes; of frames and requests a fifth of that is made. */
const RUNS = Number(process.env['FUZZ_RUNS'] ?? 90);
vi.setConfig({ testTimeout: 60_000 + RUNS * 200 });

let server: FuzzedServer;
beforeAll(async () => {
  server = await startFuzzedServer();
});
afterAll(() => server[Symbol.asyncDispose]());

afterEach(async () => {
  expect(server.failures()).toEqual([]);
  // Somebody who does it right is served.
  expect(await createResponse(server, { input: { text: 'Hi' } })).toMatchObject({ status: 'COMPLETED' });
});

/** Figures, for whoever asked for many. */
function tell(figures: string): void {
  if (RUNS > 1000) process.stderr.write(`${figures}\n`);
}

/** Of frames and requests. */
const FEWER = RUNS > 1000 ? 5 : 1;

/** So many at once, each on its own way. */
const AT_ONCE = 6;

async function inParallel<Value>(property: fc.IAsyncProperty<Value>, runs: number): Promise<void> {
  const each = Array.from({ length: AT_ONCE }, (_, at) => {
    const seed = process.env['FUZZ_SEED'] ? { seed: Number(process.env['FUZZ_SEED']) + at } : {};
    return fc.assert(property, { ...seed, numRuns: Math.ceil(runs / AT_ONCE) });
  });
  await Promise.all(each);
}

/** Does something, and then whether the memory has come back: caches fill in the first part. */
async function withoutLeak(work: (runs: number) => Promise<void>): Promise<void> {
  await work(Math.ceil(RUNS / 3));
  const before = await server.memory();
  await work(RUNS);
  const after = await server.memory();
  tell(`memory: ${Math.round(before / 1e5) / 10} MB, then ${Math.round(after / 1e5) / 10} MB`);
  expect(after - before).toBeLessThan(30_000_000);
}

const TRY = `mutation Try($input: CreateResponseInput!) {
  createResponse(input: $input) { response { id } errors { code path message } }
}`;

test('whatever createResponse is given, it is read back exactly or refused by name', async () => {
  let taken = 0;
  let refused = 0;
  const property = fc.asyncProperty(arbitraryInput(), async (input) => {
    const headers = { 'content-type': 'application/json' };
    const body = JSON.stringify({ query: TRY, variables: { input } });
    const answer = await fetch(server.url, { method: 'POST', headers, body });
    const { data, errors } = JSON.parse(await answer.text());
    if (errors !== undefined) {
      expect(JSON.stringify(errors)).not.toContain('INTERNAL');
      expect(answer.status).toBe(400);
      refused++;
      return;
    }
    const { response, errors: named } = data.createResponse;
    expect(answer.status).toBe(200);
    if (response === null) {
      expect(named).not.toEqual([]);
      for (const { path } of named) expect(path).not.toBeNull();
      refused++;
      return;
    }
    expect(await readBack(server, response.id)).toEqual(expectedOf(JSON.parse(body).variables.input));
    taken++;
  });
  await withoutLeak((runs) => inParallel(property, runs));
  tell(`${taken} were taken, ${refused} refused`);
  expect(taken).toBeGreaterThan(RUNS / 5);
  expect(refused).toBeGreaterThan(RUNS / 20);
});

test('whatever is said over a WebSocket, it is an error of whoever says it', async () => {
  const codes = new Map<number, number>();
  const property = fc.asyncProperty(conversation, async (pieces) => {
    const heard = await converse(server.url, pieces);
    const text = heard.toString('latin1');
    expect(text).toMatch(/^HTTP\/1\.1 101 /);
    expect(text).not.toMatch(/INTERNAL|Internal server error/);
    for (const [, code] of text.matchAll(CLOSE)) {
      const number = ((code?.charCodeAt(0) ?? 0) << 8) | (code?.charCodeAt(1) ?? 0);
      expect([1011, 4500]).not.toContain(number);
      codes.set(number, (codes.get(number) ?? 0) + 1);
    }
  });
  await withoutLeak((runs) => inParallel(property, runs / FEWER));
  tell(`closed with ${JSON.stringify([...codes])}`);
});

/** The head of a frame that closes, of any length that has a code, and the code. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: frames are bytes
const CLOSE = /\x88[\x02-\x7d]([\x03\x0f-\x13][\x00-\xff])/g;

test('whatever is sent over HTTP, no answer is a failure of the server', async () => {
  const statuses = new Map<string, number>();
  const property = fc.asyncProperty(request, async (bytes) => {
    const answer = await exchange(server.url, bytes);
    const status = [...answer.matchAll(/HTTP\/1\.1 (\d+)/g)].at(-1)?.[1] ?? 'none';
    statuses.set(status, (statuses.get(status) ?? 0) + 1);
    expect(status).not.toMatch(/^5/);
    // The playground's page holds any word.
    if (!answer.includes('text/html')) expect(answer).not.toMatch(/INTERNAL|Internal server error/);
  });
  await withoutLeak((runs) => inParallel(property, runs / FEWER));
  tell(`answered with ${JSON.stringify([...statuses])}`);
  expect(statuses.get('200')).toBeGreaterThan(RUNS / FEWER / 90);
});
