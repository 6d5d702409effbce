import { asArray, asObject, asText, type Json } from '../../../src/util/json.ts';

/** One operation over HTTP. Fails with what the server says when it says anything is wrong. */
export async function ask(url: string, query: string, variables: Json): Promise<Json> {
  const answer = await post(url, { query, variables });
  const data = asObject(answer?.['data']);
  if (data === null || answer?.['errors'] !== undefined) throw new Error(JSON.stringify(answer));
  return data;
}

async function post(url: string, body: object, signal?: AbortSignal): Promise<Json | null> {
  const answer = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'application/json' },
    body: JSON.stringify(body),
    signal,
  });
  return asObject(await answer.json());
}

/** Asks and goes away after so many milliseconds, answer or not. */
export async function askAndLeave(url: string, body: object, afterMs: number): Promise<void> {
  const signal = AbortSignal.timeout(afterMs);
  await post(url, body, signal).catch((error: unknown) => {
    if (!signal.aborted) throw error;
  });
}

/** The response in a payload. Fails with the errors beside it. */
export function responseOf(data: Json, field: string): Json {
  const payload = asObject(data[field]);
  const response = asObject(payload?.['response']);
  if (response === null || asArray(payload?.['errors']).length > 0) throw new Error(JSON.stringify(data));
  return response;
}

/** Fails unless the response has this status and a text of so many characters; null: of any length. */
export function expectResponse(response: Json | null, status: string, characters: number | null): void {
  const length = asText(response?.['outputText']).length;
  if (response?.['status'] !== status || (characters !== null && length !== characters))
    throw new Error(`Expected ${status} with ${characters} characters, got ${JSON.stringify(response)}`);
}
