import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { createAnswerStreams } from './answer-streams.ts';
import { guardTransport } from './guarded-transport.ts';
import { connect, type Link, type LinkOptions } from './link.ts';
import { createRequests } from './requests.ts';

export async function openStreamable({ url, fetch, signal }: LinkOptions): Promise<Link> {
  const requests = createRequests();
  const streams = createAnswerStreams(fetch, requests);
  const transport = new StreamableHTTPClientTransport(new URL(url), {
    fetch: streams.fetch,
    redirectPolicy: 'follow', // by the fetch, which checks every address and takes no secret to another origin
    // `streams` does that, and knows when to stop.
    reconnectionOptions: {
      maxRetries: 0,
      initialReconnectionDelay: 0,
      maxReconnectionDelay: 0,
      reconnectionDelayGrowFactor: 1,
    },
  });
  const guarded = guardTransport(transport, {
    requests,
    onSent: streams.sent,
    leave: () => transport.terminateSession(),
  });
  return {
    client: await connect(guarded, signal),
    failureOf: streams.failureOf,
    isLost: false, // every request makes its own connection
    get hasSession() {
      return transport.sessionId !== undefined;
    },
    close: guarded.close,
  };
}
