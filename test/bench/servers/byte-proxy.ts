import { connect, createServer } from 'node:net';
import { announce, upstreamUrl } from './environment.ts';

/** Bytes from the client to the upstream and back, untouched: nothing that reads them can cost less. */
const server = createServer({ noDelay: true }, (client) => {
  const upstream = connect({ host: upstreamUrl.hostname, port: Number(upstreamUrl.port), noDelay: true });
  client.pipe(upstream).pipe(client);
  client.on('error', () => upstream.destroy());
  upstream.on('error', () => client.destroy());
});
server.listen({ port: 0, host: '127.0.0.1', backlog: 4096 }, () => announce(server.address()));
