import { createServer, type RequestListener, type Server } from 'node:http';

/** Where the upstream is, up to and without `/chat/completions`. */
export const upstreamUrl = new URL(process.env['OPENAI_BASE_URL'] ?? '');

/** Listens on a free port of loopback and says which. */
export function listen(handler: RequestListener): Server {
  const server = createServer(handler);
  server.listen({ port: 0, host: '127.0.0.1', backlog: 4096 }, () => announce(server.address()));
  return server;
}

export function announce(address: ReturnType<Server['address']>): void {
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  process.stdout.write(`listening on http://127.0.0.1:${port}/graphql\n`);
}
