import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export type SearchApi = 'brave' | 'tavily' | 'searxng';

/** One search as the service received it. */
export interface Search {
  readonly api: SearchApi;
  readonly method: string;
  readonly path: string;
  readonly parameters: { readonly [name: string]: string };
  /** Names in lower case, values as Latin-1. */
  readonly headers: IncomingMessage['headers'];
  /** The JSON that was sent; null if none was. */
  readonly body: unknown;
  readonly answer: ServerResponse;
  /** Resolves when the client's side of the connection has closed. */
  readonly closed: Promise<void>;
}

export interface Page {
  readonly url: string;
  readonly title?: string | null;
  readonly snippet?: string | null;
}

export type SearchAnswer = (search: Search) => void | Promise<void>;

/**
 * Brave, Tavily and SearXNG in one: told apart by path and method. It refuses what they refuse, and otherwise
 * answers as it is told, one answer for each search.
 */
export interface SearchServer extends AsyncDisposable {
  /** For all three; SearXNG may also be asked below any path. */
  readonly baseUrl: string;
  readonly searches: readonly Search[];
  /** The answers to the next searches, in this order. Unasked for, it finds `PAGES`. */
  enqueue(...answers: SearchAnswer[]): void;
  /** Resolves with the search number `count` (from 1), as soon as it has arrived. */
  received(count: number): Promise<Search>;
}

/** The keys that it accepts are all but this one. */
export const WRONG_KEY = 'wrong-key-0123456789abcdef';

export const PAGES: readonly Page[] = Array.from({ length: 20 }, (_, index) => ({
  url: `https://site-${index + 1}.example/page`,
  title: `Page ${index + 1}`,
  snippet: `What page ${index + 1} says.`,
}));

export async function startSearchServer(): Promise<SearchServer> {
  const searches: Search[] = [];
  const queue: SearchAnswer[] = [];
  const waiting: { count: number; resolve: (search: Search) => void }[] = [];
  const server = createServer(async (request, answer) => {
    const search = await toSearch(request, answer);
    if (search === null) return reply(answer, 404, { message: 'There is nothing here.' });
    searches.push(search);
    for (const each of waiting.filter(({ count }) => count === searches.length)) each.resolve(search);
    const refusal = refusalOf(search);
    if (refusal !== null) return reply(answer, refusal.status, refusal.body);
    await (queue.shift() ?? finds(...PAGES))(search);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    baseUrl: `http://127.0.0.1:${port}`,
    searches,
    enqueue: (...answers) => queue.push(...answers),
    received: (count) =>
      new Promise((resolve) => {
        const search = searches[count - 1];
        if (search !== undefined) resolve(search);
        else waiting.push({ count, resolve });
      }),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

/** An answer in the words of whichever API was asked; Brave and Tavily cut it to the number that was asked for. */
export function finds(...pages: readonly Page[]): SearchAnswer {
  return ({ api, answer, parameters, body }) => {
    switch (api) {
      case 'brave': {
        const results = pages.slice(0, Number(parameters['count'] ?? 20)).map(renamed('description'));
        const web = results.length === 0 ? {} : { web: { type: 'search', results } };
        return reply(answer, 200, { type: 'search', query: { original: parameters['q'] }, ...web });
      }
      case 'tavily': {
        const results = pages.slice(0, Number(field(body, 'max_results') ?? 5)).map(renamed('content'));
        const more = { answer: null, images: [], response_time: 0.1 };
        return reply(answer, 200, { query: field(body, 'query'), results, ...more });
      }
      case 'searxng': {
        const results = pages.map(renamed('content'));
        return reply(answer, 200, { query: parameters['q'], number_of_results: 0, results });
      }
    }
  };
}

/** Any body, an error for example: text as it is, everything else as JSON. */
export function responds(
  status: number,
  body: unknown,
  headers: { readonly [name: string]: string } = {},
): SearchAnswer {
  return ({ answer }) => reply(answer, status, body, headers);
}

/** Never answers. */
export const hangs: SearchAnswer = ({ closed }) => closed;

/** Begins to answer and never ends. */
export const hangsInBody: SearchAnswer = async ({ answer, closed }) => {
  answer.writeHead(200, { 'content-type': 'application/json' });
  answer.write('{"results":[');
  await closed;
};

/** Cuts the connection. */
export const dies: SearchAnswer = ({ answer }) => {
  answer.destroy();
};

async function toSearch(request: IncomingMessage, answer: ServerResponse): Promise<Search | null> {
  const { pathname, searchParams } = new URL(request.url ?? '/', 'http://localhost');
  const method = request.method ?? '';
  const api = apiOf(method, pathname);
  if (api === null) return null;
  let text = '';
  for await (const chunk of request) text += chunk;
  return {
    api,
    method,
    path: pathname,
    parameters: Object.fromEntries(searchParams),
    headers: request.headers,
    body: text === '' ? null : JSON.parse(text),
    answer,
    closed: once(answer, 'close').then(() => undefined),
  };
}

function apiOf(method: string, path: string): SearchApi | null {
  if (path === '/res/v1/web/search') return method === 'GET' ? 'brave' : null;
  if (!path.endsWith('/search')) return null;
  if (method === 'POST') return path === '/search' ? 'tavily' : null;
  return method === 'GET' ? 'searxng' : null;
}

interface Refusal {
  readonly status: number;
  readonly body: unknown;
}

function refusalOf(search: Search): Refusal | null {
  switch (search.api) {
    case 'brave':
      return braveRefusal(search);
    case 'tavily':
      return tavilyRefusal(search);
    case 'searxng':
      return search.parameters['format'] === 'json' ? null : { status: 200, body: '<!DOCTYPE html>' };
  }
}

const BRAVE_COUNTRY =
  /^(AR|AU|AT|BE|BR|CA|CL|DK|FI|FR|DE|HK|IN|ID|IT|JP|KR|MY|MX|NL|NZ|NO|CN|PL|PT|PH|RU|SA|ZA|ES|SE|CH|TW|TR|GB|US|ALL)$/;

function braveRefusal({ headers, parameters: { q = '', count = '20', country = 'US' } }: Search) {
  const refuse = (code: string, detail: string): Refusal => ({
    status: 422,
    body: { type: 'ErrorResponse', error: { id: '1', code, detail, status: 422, meta: {} }, time: 1 },
  });
  const key = headers['x-subscription-token'];
  if (key === undefined) return refuse('VALIDATION', 'Unable to validate request parameter(s)');
  if (key === WRONG_KEY) {
    return refuse('SUBSCRIPTION_TOKEN_INVALID', 'The provided subscription token is invalid.');
  }
  const isValid =
    q !== '' &&
    q.length <= 400 &&
    q.split(/\s+/).length <= 50 &&
    Number(count) >= 1 &&
    Number(count) <= 20 &&
    BRAVE_COUNTRY.test(country) &&
    String(headers['x-loc-state'] ?? '').length <= 3;
  return isValid ? null : refuse('VALIDATION', 'Unable to validate request parameter(s)');
}

function tavilyRefusal({ headers, body }: Search): Refusal | null {
  const refuse = (status: number, error: string): Refusal => ({ status, body: { detail: { error } } });
  const key = headers.authorization;
  if (!key?.startsWith('Bearer ') || key.endsWith(WRONG_KEY)) {
    return refuse(401, 'Unauthorized: missing or invalid API key.');
  }
  if (String(field(body, 'query') ?? '').length > 400) {
    return refuse(400, 'Query is too long. Max query length is 400 characters.');
  }
  const country = field(body, 'country');
  if (country !== undefined && !/^[a-z ]+$/.test(String(country))) return refuse(400, 'Invalid country.');
  return Number(field(body, 'max_results') ?? 5) > 20 ? refuse(400, 'Max results is 20.') : null;
}

function field(body: unknown, name: string): unknown {
  return typeof body === 'object' && body !== null
    ? Object.entries(body).find(([key]) => key === name)?.[1]
    : undefined;
}

/** A page with its snippet under the name that an API has for it. */
function renamed(name: string): (page: Page) => object {
  return ({ snippet, ...page }) => ({ ...page, [name]: snippet });
}

function reply(
  answer: ServerResponse,
  status: number,
  body: unknown,
  headers: { readonly [name: string]: string } = {},
): void {
  answer.writeHead(status, { 'content-type': 'application/json', ...headers });
  answer.end(typeof body === 'string' ? body : JSON.stringify(body));
}
