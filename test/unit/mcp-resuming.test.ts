import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { answers, resultEvent, stream } from '../support/mcp-answers.ts';
import { failureOf, startMcpRun } from '../support/mcp-run.ts';
import { type ReceivedRequest, startMcpServer } from '../support/mcp-server.ts';

const delays: number[] = [];

/** The pauses that the client makes, none of which takes any time. */
const { setTimeout: later } = globalThis;
beforeEach(() => {
  delays.length = 0;
  vi.spyOn(globalThis, 'setTimeout').mockImplementation(((work: () => void, delay = 0, ...rest: []) => {
    const isPause = new Error().stack?.includes('async-iteration') ?? false;
    if (isPause) delays.push(delay);
    return later(work, isPause ? 0 : delay, ...rest);
  }) as typeof setTimeout);
});
afterEach(() => {
  vi.restoreAllMocks();
});

test('a stream that gives nothing more is not asked for without pause, nor for ever', async () => {
  const intercept = answers((answer, { method }) =>
    stream(method === 'GET' ? '' : 'id: 5\nretry: 0\ndata: \n\n')(answer),
  );
  await using server = await startMcpServer({ intercept });
  await using run = startMcpRun(server);
  expect(await failureOf(run.call('any'))).toMatchObject({ type: 'protocol' });
  expect(server.requests.filter(({ method }) => method === 'GET').length).toBeLessThanOrEqual(101);
  expect(new Set(delays)).toEqual(new Set([100]));
});

test('the pause is as long as the server says', async () => {
  let asked: ReceivedRequest;
  const intercept = answers((answer, request) => {
    if (request.method === 'GET') stream(resultEvent(asked, { content: [] }))(answer);
    else {
      asked = request;
      stream('id: 5\nretry: 3000\ndata: \n\n')(answer);
    }
  });
  await using server = await startMcpServer({ intercept });
  await using run = startMcpRun(server);
  expect(await run.call('any')).toEqual([]);
  expect(delays).toEqual([3000]);
});
