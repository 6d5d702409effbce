import type { LookupAddress } from 'node:dns';
import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import net, { type AddressInfo, type LookupFunction, type Socket, type TcpNetConnectOpts } from 'node:net';
import tls from 'node:tls';
import { vi } from 'vitest';
import { createOutbound, type Outbound, type OutboundOptions } from '../../src/tools/outbound.ts';

/** A web site on loopback that notices every connection, also one without a request. */
export interface Site extends AsyncDisposable {
  readonly port: number;
  /** How many connections there have been. */
  connections(): number;
  /** How many there are now. */
  open(): Promise<number>;
}

export async function startSite(listener: RequestListener): Promise<Site> {
  const server = createServer(listener);
  let connections = 0;
  server.on('connection', () => connections++);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    connections: () => connections,
    open: () =>
      new Promise((resolve, reject) =>
        server.getConnections((error, count) => (error === null ? resolve(count) : reject(error))),
      ),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

/** A public address. What is sent to it while the internet is played arrives at this machine. */
export const PUBLIC = '93.184.215.14';

/** The internet, played by this machine: sockets are told to go out, and are brought home when they do. */
export interface Internet extends Disposable {
  /** Every address that a socket was about to connect to, in order. */
  readonly reached: readonly string[];
}

export function playInternet(): Internet {
  const reached: string[] = [];
  const connect = net.connect as (options: TcpNetConnectOpts) => Socket;
  const home = (address: string): string => {
    reached.push(address);
    return address === PUBLIC ? '127.0.0.1' : address;
  };
  const bringHome = ({ host = '', lookup, ...options }: TcpNetConnectOpts): Socket => {
    if (net.isIP(host) !== 0) return connect({ ...options, host: home(host) });
    const homeward: LookupFunction = (name, how, callback) =>
      lookup?.(name, how, (error, found, family) => {
        if (error !== null || !Array.isArray(found)) return callback(error, found, family);
        callback(
          null,
          found.map((each) => ({ ...each, address: home(each.address) })),
        );
      });
    return connect({ ...options, host, lookup: homeward });
  };
  const plain = vi
    .spyOn(net, 'connect')
    .mockImplementation(((options: TcpNetConnectOpts) => bringHome(options)) as typeof net.connect);
  // In plain: what is https is of interest here, not how.
  const secure = vi.spyOn(tls, 'connect').mockImplementation(((options: TcpNetConnectOpts) => {
    const socket = bringHome(options);
    return socket.once('connect', () => socket.emit('secureConnect'));
  }) as typeof tls.connect);
  return {
    reached,
    [Symbol.dispose]() {
      plain.mockRestore();
      secure.mockRestore();
    },
  };
}

/** A resolver that knows these names, each with its addresses. */
export function resolver(names: { readonly [host: string]: readonly string[] }) {
  return async (host: string): Promise<readonly LookupAddress[]> => {
    const addresses = names[host];
    if (addresses === undefined) throw Object.assign(new Error('no such name'), { code: 'ENOTFOUND' });
    return addresses.map((address) => ({ address, family: net.isIPv6(address) ? 6 : 4 }));
  };
}

/** `createOutbound`, closed at the end of the test. Unasked for, every name has the public address. */
export function openOutbound(options: Partial<OutboundOptions> = {}): Outbound & AsyncDisposable {
  const resolve = async () => [{ address: PUBLIC, family: 4 }];
  const outbound = createOutbound({ allowPrivate: false, resolve, ...options });
  return { ...outbound, [Symbol.asyncDispose]: outbound.close };
}

/** What a promise was rejected with. */
export async function rejection(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => {
      throw new Error('It was not rejected.');
    },
    (error: unknown) => error,
  );
}
