import { expect, test } from 'vitest';
import { type Admission, Quotas, type Refusal } from '../../src/engine/run/quotas.ts';

const MINUTE = 60_000;

/** Quotas with a clock that stands still until it is moved. */
function quotasWith(limits: { readonly runs?: number; readonly runsPerMinute?: number }) {
  let now = 1_000_000;
  const { POSITIVE_INFINITY: unlimited } = Number;
  const quotas = new Quotas({ runs: unlimited, runsPerMinute: unlimited, ...limits }, () => now);
  return {
    pass: (ms: number) => {
      now += ms;
    },
    admit: (key = 'a', inBackground = false) => quotas.admit(key, { inBackground }),
    /** Starts a run that is in flight until `ended`; what it is refused with otherwise. */
    start: (ended: Promise<unknown> = Promise.resolve(), key = 'a') => {
      const admission = quotas.admit(key, { inBackground: false });
      if (isRefusal(admission)) return admission;
      admission.use();
      admission.keepUntil(ended);
      admission[Symbol.dispose]();
      return null;
    },
  };
}

function isRefusal(admission: Admission | Refusal): admission is Refusal {
  return 'retryAfterSeconds' in admission;
}

test('runs of a minute grow back one by one, and the time until the next one is told', () => {
  const { start, pass } = quotasWith({ runsPerMinute: 4 });
  for (let run = 0; run < 4; run++) expect(start()).toBeNull();
  expect(start()?.retryAfterSeconds).toBe(15);
  pass(5000);
  expect(start()?.retryAfterSeconds).toBe(10);
  pass(10_000);
  expect(start()).toBeNull();
  expect(start()?.retryAfterSeconds).toBe(15);
  pass(10 * MINUTE);
  for (let run = 0; run < 4; run++) expect(start()).toBeNull();
  expect(start()).not.toBeNull();
});

test('a run that was not started after all costs nothing', () => {
  const { admit, start } = quotasWith({ runs: 1, runsPerMinute: 1 });
  for (let times = 0; times < 5; times++) {
    const admission = admit();
    if (isRefusal(admission)) throw new Error('It was refused.');
    admission[Symbol.dispose]();
  }
  expect(start()).toBeNull();
});

test('a run that is lost or breaks makes room like one that ends', async () => {
  const { start } = quotasWith({ runs: 1 });
  for (const ended of [Promise.resolve(null), Promise.reject(new Error('It broke.'))]) {
    expect(start(ended)).toBeNull();
    expect(start()?.code).toBe('LIMIT_EXCEEDED');
    await ended.catch(() => {});
    await Promise.resolve();
    expect(start()).toBeNull();
    await Promise.resolve();
    await Promise.resolve();
  }
});

test('runs in the background count when they start, not while they are in flight', () => {
  const { admit } = quotasWith({ runs: 1, runsPerMinute: 3 });
  for (let run = 0; run < 3; run++) {
    const admission = admit('a', true);
    if (isRefusal(admission)) throw new Error('It was refused.');
    admission.use();
    admission[Symbol.dispose]();
  }
  expect(admit('a', true)).toMatchObject({ code: 'LIMIT_EXCEEDED', retryAfterSeconds: 20 });
});

test('what a caller has in flight is not forgotten, however long that takes', async () => {
  const { start, pass } = quotasWith({ runs: 1 });
  const { promise, resolve } = Promise.withResolvers<void>();
  expect(start(promise)).toBeNull();
  for (let minute = 0; minute < 5; minute++) {
    pass(2 * MINUTE);
    expect(start(Promise.resolve(), `b${minute}`)).toBeNull();
    await Promise.resolve();
    expect(start()?.code).toBe('LIMIT_EXCEEDED');
  }
  resolve();
  await promise;
  await Promise.resolve();
  expect(start()).toBeNull();
});
