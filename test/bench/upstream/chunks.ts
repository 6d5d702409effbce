/** Every chunk carries so many characters: whoever counts characters knows which chunk they belong to. */
export const CHUNK_CHARACTERS = 6;

/** Plain letters, the same number in each: nothing in them is escaped by JSON. */
const WORDS = [' could', ' stone', ' river', ' paper', ' light', ' cloud', ' under', ' seven'] as const;

const ID = 'chatcmpl-BkTq7Zs2mWc9XeLd0RfVhJyN4uAoG';
const COMMON = `"id":"${ID}","object":"chat.completion.chunk","created":1760000000,"model":"bench-1"`;

const HEAD =
  'HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\ncache-control: no-cache\r\n' +
  'transfer-encoding: chunked\r\nconnection: keep-alive\r\n\r\n';

/** A record of an event stream, as one chunk of HTTP's chunked encoding. */
function frame(data: string): string {
  const record = `data: ${data}\n\n`;
  return `${record.length.toString(16)}\r\n${record}\r\n`;
}

function chunk(delta: object, finishReason: string | null): string {
  const choices = [{ index: 0, delta, finish_reason: finishReason }];
  return frame(`{${COMMON},"choices":${JSON.stringify(choices)}}`);
}

const wordAt = (index: number) => WORDS[index % WORDS.length] ?? '';
const FRAMES = WORDS.map((content) => Buffer.from(chunk({ content }, null), 'latin1'));

const USAGE = { prompt_tokens: 12, completion_tokens: 100, total_tokens: 112 };

/** The head of the answer and the chunk that names the role. */
export const OPENING = Buffer.from(HEAD + chunk({ role: 'assistant', content: '' }, null), 'latin1');

/** What ends a stream: the finish reason, the usage, `[DONE]`, and the end of the body. */
export const CLOSING = Buffer.from(
  `${chunk({}, 'stop')}${frame(`{${COMMON},"choices":[],"usage":${JSON.stringify(USAGE)}}`)}${frame('[DONE]')}0\r\n\r\n`,
  'latin1',
);

/** The chunk of content at this place, from 0. */
export function contentAt(index: number): Buffer {
  return FRAMES[index % FRAMES.length] ?? OPENING;
}

const bodies = new Map<string, Buffer>();

/** The chunks from `first` up to `count`, as one piece. */
export function contentBetween(first: number, count: number): Buffer {
  const name = `${first}-${count}`;
  const known = bodies.get(name);
  if (known !== undefined) return known;
  const body = Buffer.concat(Array.from({ length: count - first }, (_, index) => contentAt(first + index)));
  bodies.set(name, body);
  return body;
}

/** The same content as an answer that does not stream. */
export function wholeAnswer(chunks: number): Buffer {
  const content = Array.from({ length: chunks }, (_, index) => wordAt(index)).join('');
  const choices = [{ index: 0, message: { role: 'assistant', content }, finish_reason: 'stop' }];
  const body = JSON.stringify({
    id: ID,
    object: 'chat.completion',
    created: 1_760_000_000,
    model: 'bench-1',
    choices,
    usage: USAGE,
  });
  return Buffer.from(
    `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\nconnection: keep-alive\r\n\r\n${body}`,
    'latin1',
  );
}
