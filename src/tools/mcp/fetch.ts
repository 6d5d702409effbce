import { toNetworkFailure } from '../outbound/network-failure.ts';
import { ToolFailure } from '../tool-failure.ts';
import { toStatusFailure } from './errors.ts';
import { requestIdIn } from './messages.ts';
import type { McpSecretGuard } from './secrets.ts';

export type Fetch = (input: string | URL, init?: RequestInit) => Promise<Response>;

/**
 * The fetch of both transports: it adds the headers of the server to every request, but never over those of the
 * protocol.
 *
 * @throws ToolFailure what `fetch` throws, if that is one; `http` for any other trouble on the way; StatusFailure for
 * a status that is an error; the reason of the signal
 */
export function createMcpFetch(fetch: Fetch, { headers, redact }: McpSecretGuard): Fetch {
  return async (input, init = {}) => {
    const response = await fetch(input, { ...init, headers: withHeaders(init.headers, headers) }).catch(
      (error) => {
        throw init.signal?.aborted === true ? error : toNetworkFailure(error, new URL(input));
      },
    );
    if (response.status >= 400) {
      const inSession = new Headers(init.headers).has('mcp-session-id');
      const askedInSession = inSession ? requestIdIn(init.body) : null;
      throw await toStatusFailure(response, { redact, askedInSession });
    }
    return response;
  };
}

function withHeaders(own: RequestInit['headers'], added: McpSecretGuard['headers']): Headers {
  const headers = new Headers(own);
  try {
    for (const [name, value] of added) if (!headers.has(name)) headers.set(name, value);
  } catch {
    // Without the cause: it quotes the value.
    throw new ToolFailure(
      'http',
      'A header that was given for the server is malformed, so nothing was sent.',
    );
  }
  return headers;
}
