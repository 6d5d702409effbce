import { createServer, type Server } from 'node:http';
import { AppError, messageOf } from '../util/errors.ts';
import type { GraphQLServer } from './graphql-server.ts';
import { setSecurityHeaders } from './security-headers.ts';
import { watchStuck } from './watch-stuck.ts';

export interface HttpServer {
  readonly server: Server;
  /** `http://HOST:PORT`, with the port that was found. */
  readonly origin: string;
  /** Takes no more connections, gives those under way `graceMs` to end, then cuts them. */
  close(graceMs: number): Promise<void>;
}

export interface ListenOptions {
  readonly host: string;
  readonly port: number;
  /** An answer of which the client reads nothing for so long is given up. In milliseconds. */
  readonly stuckMs: number;
  /** A request that has not arrived whole in this time is given up. In milliseconds. */
  readonly requestTimeoutMs: number;
}

/** How long the head of a request may take, at most, and how often connections are looked at. In milliseconds. */
const HEAD_MS = 10_000;
const LOOK_MS = 1000;

/** @throws AppError START_FAILED when the address cannot be had. */
export async function listen(
  graphql: GraphQLServer,
  { host, port, stuckMs, requestTimeoutMs }: ListenOptions,
): Promise<HttpServer> {
  const patience = {
    requestTimeout: requestTimeoutMs,
    headersTimeout: Math.min(HEAD_MS, requestTimeoutMs),
    connectionsCheckingInterval: LOOK_MS,
  };
  const server = createServer(patience, (request, answer) => {
    setSecurityHeaders(answer);
    answer.once(
      'close',
      watchStuck(request.socket, stuckMs, () => answer.destroy()),
    );
    // What is no address cannot be read further in.
    if (!URL.canParse(request.url ?? '', `http://${request.headers.host ?? 'localhost'}`)) {
      answer.writeHead(400, { 'content-type': 'text/plain' }).end('Malformed request address.\n');
      return;
    }
    Promise.resolve(graphql(request, answer)).catch(() => answer.destroy());
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  }).catch((cause) => {
    const hint = cause.code === 'EADDRINUSE' ? 'Another program listens there; set PORT.' : messageOf(cause);
    throw new AppError('START_FAILED', `Cannot listen on ${host}:${port}. ${hint}`, { cause });
  });
  const address = server.address();
  const found = typeof address === 'object' && address !== null ? address.port : port;
  return {
    server,
    origin: `http://${host.includes(':') ? `[${host}]` : host}:${found}`,
    close: async (graceMs) => {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeIdleConnections();
      const timer = setTimeout(() => server.closeAllConnections(), graceMs);
      await closed;
      clearTimeout(timer);
    },
  };
}
