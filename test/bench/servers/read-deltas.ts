import { once } from 'node:events';
import { Agent, type IncomingMessage, request } from 'node:http';
import { upstreamUrl } from './environment.ts';

const agent = new Agent({ keepAlive: true, maxSockets: Number.POSITIVE_INFINITY });

/** Asks the upstream for a stream. */
export async function ask(model: string): Promise<IncomingMessage> {
  const { hostname, port, pathname } = upstreamUrl;
  const headers = { 'content-type': 'application/json' };
  const call = request({
    agent,
    hostname,
    port,
    path: `${pathname}/chat/completions`,
    method: 'POST',
    headers,
  });
  const messages = [{ role: 'user', content: 'Tell me something long.' }];
  call.end(JSON.stringify({ model, stream: true, messages }));
  const [answer] = await once(call, 'response');
  return answer;
}

interface Chunk {
  readonly choices: readonly { readonly delta: { readonly content?: string } }[];
}

/** The deltas that a read completes: a parser by hand, as quick as it can be written in a few lines. */
export async function* readDeltas(answer: IncomingMessage): AsyncGenerator<readonly string[], void> {
  let held = '';
  answer.setEncoding('utf8');
  for await (const text of answer) {
    const lines = (held + text).split('\n');
    held = lines.pop() ?? '';
    const deltas: string[] = [];
    for (const line of lines) {
      if (!line.startsWith('data: {')) continue;
      const chunk: Chunk = JSON.parse(line.slice(6));
      const content = chunk.choices[0]?.delta.content;
      if (content) deltas.push(content);
    }
    if (deltas.length > 0) yield deltas;
  }
}
