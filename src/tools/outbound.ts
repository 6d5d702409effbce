import { type LookupAddress, promises } from 'node:dns';
import type { LookupFunction } from 'node:net';
import { ReadableStream } from 'node:stream/web';
import { Agent, type Response as Answer, fetch as send } from 'undici';
import { blockedAddress, blockedReason, type Reach } from './outbound/addresses.ts';
import { discard, toResponse } from './outbound/bounded-response.ts';
import { placeOf, toNetworkFailure } from './outbound/network-failure.ts';
import { type Hop, nextHop, redirectOf } from './outbound/redirects.ts';
import { ToolFailure } from './tool-failure.ts';

export { blockedReason } from './outbound/addresses.ts';

/** The addresses of a host name, all of them; rejects if there are none. */
export type Resolve = (host: string) => Promise<readonly LookupAddress[]>;

export interface OutboundOptions extends Reach {
  /** What one response may have, in bytes, after decompression. Default: 10 MiB. */
  readonly maxBytes?: number;
  /** From the look-up of the name to the end of the TLS handshake, in milliseconds. Default: 10 s. */
  readonly connectTimeoutMs?: number;
  /** From the request to the first headers, in milliseconds. Default: 5 min, as a tool may work before it answers. */
  readonly headersTimeoutMs?: number;
  readonly resolve?: Resolve;
}

export interface Outbound {
  /**
   * `fetch`, for addresses that a caller named. Redirects are followed, at most 5, each checked like the first
   * address; `redirect: 'manual'` hands them over instead. No time limit but `signal` holds for the whole.
   *
   * @throws ToolFailure `blocked` for an address that may not be reached, `http` if the network fails, `timeout` for
   * the two limits above, `protocol` for an answer that is too large or redirects badly; the body's stream fails with
   * the same. An abort rejects with the signal's reason.
   */
  fetch(input: string | URL, init?: RequestInit): Promise<Response>;
  /** Ends every connection, those in use too. May be called again. */
  close(): Promise<void>;
}

const MAX_REDIRECTS = 5;
const MAX_BYTES = 10 * 1024 * 1024;
/** To one origin, for streams and for calls each; what is more waits for one of them. */
const MAX_CONNECTIONS = 32;

/** The only way out to an address that a caller named. */
export function createOutbound({
  allowPrivate,
  maxBytes = MAX_BYTES,
  connectTimeoutMs = 10_000,
  headersTimeoutMs = 300_000,
  resolve = (host) => promises.lookup(host, { all: true }),
}: OutboundOptions): Outbound {
  const reach: Reach = { allowPrivate };
  const createAgent = () =>
    new Agent({
      connect: { lookup: checkedLookup(resolve, reach), timeout: connectTimeoutMs },
      connections: MAX_CONNECTIONS,
      headersTimeout: headersTimeoutMs,
      bodyTimeout: 0, // an event stream may be silent for as long as its caller waits
      allowH2: false, // one request, one connection: a caller that leaves takes nobody's stream along
    });
  // A stream that is got may stay open until a call is made, which must not have to wait for it to end.
  const streams = createAgent();
  const calls = createAgent();

  async function follow(first: Hop, init: RequestInit): Promise<Response> {
    let hop = first;
    for (let followed = 0; ; followed++) {
      refuseBlocked(hop.url, reach);
      const dispatcher = hop.method === 'GET' ? streams : calls;
      const answer = await sendHop(hop, { dispatcher, signal: init.signal });
      const redirect = redirectOf(answer.status, answer.headers.get('location'));
      if (redirect === null || init.redirect === 'manual') {
        return toResponse(answer, { url: hop.url, redirected: followed > 0, maxBytes, signal: init.signal });
      }
      discard(answer);
      if (init.redirect === 'error') {
        throw new ToolFailure('protocol', `"${hop.url.host}" redirected, which was not allowed.`);
      }
      if (followed === MAX_REDIRECTS) {
        throw new ToolFailure('protocol', `"${first.url.host}" redirected more than ${MAX_REDIRECTS} times.`);
      }
      hop = nextHop(hop, redirect);
    }
  }

  return {
    fetch: async (input, init = {}) => {
      refuseBlocked(input, reach);
      return follow(await toHop(new URL(input), init), init);
    },
    close: async () => {
      await Promise.all([streams, calls].map(async (agent) => agent.destroyed || agent.destroy()));
    },
  };
}

/**
 * A look-up for sockets, so that what is checked is what is connected to: a name asked twice may answer twice. One
 * forbidden address is enough to refuse, since the socket may try any of them, and no honest name has both kinds.
 */
function checkedLookup(resolve: Resolve, reach: Reach): LookupFunction {
  const addressesOf = async (host: string): Promise<[LookupAddress, ...LookupAddress[]]> => {
    const [first, ...others] = await resolve(host);
    if (first === undefined) throw new ToolFailure('http', `Could not find the address of ${host}.`);
    for (const { address } of [first, ...others]) {
      const reason = blockedAddress(host, address, reach);
      if (reason !== null) throw new ToolFailure('blocked', reason);
    }
    return [first, ...others];
  };
  return (host, { all }, callback) => {
    addressesOf(host).then(
      (addresses) =>
        all === true ? callback(null, addresses) : callback(null, addresses[0].address, addresses[0].family),
      (error) => callback(error, []),
    );
  };
}

function refuseBlocked(url: string | URL, reach: Reach): void {
  const reason = blockedReason(String(url), reach);
  if (reason !== null) throw new ToolFailure('blocked', reason);
}

/** The first request. Every body that is no stream is read into bytes, to be sent again after a redirect. */
async function toHop(url: URL, init: RequestInit): Promise<Hop> {
  const { body } = init;
  const isStream = typeof body === 'object' && body !== null && Symbol.asyncIterator in body;
  try {
    const request = new Request(url, { ...init, signal: null, ...(isStream && { duplex: 'half' }) });
    const { method, headers } = request;
    if (request.body === null || isStream) return { url, method, headers, body: request.body };
    return { url, method, headers, body: new Uint8Array(await request.arrayBuffer()) };
  } catch {
    // Without the cause: it quotes the header that is wrong, and that may be a secret.
    throw new ToolFailure('http', `The request to ${placeOf(url)} is malformed and was not sent.`);
  }
}

interface Way {
  readonly dispatcher: Agent;
  readonly signal: AbortSignal | null | undefined;
}

async function sendHop({ url, method, headers, body }: Hop, { dispatcher, signal }: Way): Promise<Answer> {
  const sent = new Headers(headers);
  if (body instanceof Uint8Array) sent.set('content-length', String(body.byteLength));
  try {
    return await send(url, {
      method,
      headers: [...sent],
      // As a stream, which fetch cannot send again: it would do so by itself after a 421, and make a call twice.
      body: body instanceof Uint8Array ? ReadableStream.from([body]) : body,
      duplex: 'half',
      redirect: 'manual',
      dispatcher,
      signal,
    });
  } catch (error) {
    throw signal?.aborted === true ? signal.reason : toNetworkFailure(error, url);
  }
}
