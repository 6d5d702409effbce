import type { ServerResponse } from 'node:http';
import type { ReceivedRequest } from './mcp-server.ts';
import type { Json, ScriptedTool, ToolAnswer } from './mcp-tools.ts';

/** What a call gives that gives one text. */
export const text = (words: string) => [{ type: 'input_text', text: words }];

export const echo: ScriptedTool = { run: ({ words }) => `You said ${words}` };

/** Never answers. */
export const hang: ScriptedTool = { run: () => new Promise<never>(() => {}) };

/** A tool that takes no notice of its arguments. */
export const tool = (run: () => ToolAnswer): ScriptedTool => ({ run });

/** For `intercept`: answers every call of a tool, and every GET. */
export function answers(write: (answer: ServerResponse, request: ReceivedRequest) => void) {
  return (request: ReceivedRequest, answer: ServerResponse): boolean => {
    if (request.body?.['method'] !== 'tools/call' && request.method !== 'GET') return false;
    write(answer, request);
    return true;
  };
}

export const page = (status: number, type: string, body: string) => (answer: ServerResponse) =>
  answer.writeHead(status, { 'content-type': type }).end(body);

/** An event stream that ends after this. */
export const stream = (body: string) => page(200, 'text/event-stream', body);

/** The event with the answer to a request. */
export const resultEvent = ({ body }: ReceivedRequest, result: Json): string =>
  `data: ${JSON.stringify({ jsonrpc: '2.0', id: body?.['id'], result })}\n\n`;

export const methodsOf = (requests: readonly ReceivedRequest[]): readonly unknown[] =>
  requests.flatMap(({ body }) => (body === null ? [] : [body['method']]));
