import { json } from './chat-server.ts';
import type { TestApp } from './test-app.ts';
import { toldTo } from './upstream-tools.ts';

/** The words of an upstream that cannot take so much. */
export const TOO_LONG = "This model's maximum context length is 8192 tokens.";

export const refuses = json(400, { error: { message: TOO_LONG } });

/** What a request asks for to be cut. */
export const AUTO = { truncation: 'AUTO' };

/** What a run looks like that could not be cut to fit. */
export function tooLong(message = TOO_LONG) {
  return { status: 'FAILED', error: { code: 'context_length_exceeded', message } };
}

/** What each request said, message by message. One that is only calls says so. */
export function asked(app: TestApp): readonly string[] {
  toldTo(app);
  return app.upstream.exchanges.map(({ body }) =>
    body.messages.map(({ content }) => content ?? 'calls').join(' '),
  );
}

export function message(role: string, text: string) {
  return { message: { role, content: { text } } };
}

export function user(text: string) {
  return message('USER', text);
}

export function assistant(text: string) {
  return message('ASSISTANT', text);
}
