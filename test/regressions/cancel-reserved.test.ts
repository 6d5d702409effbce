import { expect, test } from 'vitest';
import { custody, queue } from '../support/background.ts';
import { cancel } from '../support/cancel.ts';
import { hangsAfter } from '../support/chat-server.ts';
import { collect } from '../support/stream.ts';
import { startTestApp } from '../support/test-app.ts';
import { mcp } from '../support/tools.ts';

const deaf = { send: () => {}, listen: () => {}, close: async () => {} };

/** Nobody sweeps and nobody is woken: what happens, a poll has found. */
const POLLING = {
  lease: { leaseMs: 3_600_000, renewMs: 3_600_000, sweepMs: 3_600_000 },
  pollMs: 50,
  throughWakeUps: () => deaf,
};

test.each([
  ['runs nothing', 0],
  ['is busy', 1],
])(
  'a queued response with secrets is cancelled from another instance within a poll of the one that has them, which %s',
  async (_, maxBackgroundRuns) => {
    await using app = await startTestApp({ timing: POLLING, config: { maxBackgroundRuns } });
    await using beside = await startTestApp({
      beside: app,
      timing: POLLING,
      config: { maxBackgroundRuns: 0 },
    });
    if (maxBackgroundRuns > 0) {
      app.upstream.enqueue(hangsAfter());
      await queue(app);
      await app.upstream.received(1);
    }
    const office = { url: 'http://127.0.0.1:9/mcp' };
    const id = await queue(app, { tools: [mcp('office', office, { authorization: 'the-secret-token' })] });
    expect(await custody(app, id)).toMatchObject({ status: 'queued', owner: expect.any(String) });
    expect(await cancel(beside, id)).toMatchObject({ response: { status: 'CANCELLED' }, errors: [] });
    await collect(beside, { id });
    expect(app.upstream.exchanges).toHaveLength(maxBackgroundRuns);
  },
);
