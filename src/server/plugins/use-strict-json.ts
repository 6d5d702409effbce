import { GraphQLError } from 'graphql';
import type { Plugin } from 'graphql-yoga';
import { isTooMuchJson } from '../limits/json-size.ts';

/** Throws for bytes that are no UTF-8: replaced, they would be stored as something else. A byte order mark is no text. */
const UTF8 = new TextDecoder('utf-8', { fatal: true });

/**
 * Bodies, of so many bytes at most, are read as JSON in UTF-8, and so are the parameters of an address that are JSON. What
 * is none is refused, and not a word of it is repeated: it may hold secrets.
 */
export function useStrictJson({ maxBytes }: { readonly maxBytes: number }): Plugin {
  return {
    onRequestParse({ request, url, setRequestParser }) {
      for (const name of ['variables', 'extensions']) {
        if (!isNothingOrJson(url.searchParams.get(name)))
          throw refusal(`The parameter "${name}" is no JSON.`);
      }
      if (request.method !== 'POST' || !isJson(request.headers.get('content-type'))) return;
      setRequestParser(async (body) => {
        const parsed = parse(await bytesOf(body, maxBytes));
        if (typeof parsed !== 'object' || parsed === null) throw refusal('The body must be a JSON object.');
        return parsed;
      });
    },
  };
}

/** Of a body that says how long it is Node reads no more than that; only one that does not has to be counted. */
async function bytesOf(request: Request, maxBytes: number): Promise<ArrayBuffer | Uint8Array> {
  const length = request.headers.get('content-length');
  if (Number(length) > maxBytes) throw tooLarge();
  if (length !== null || request.body === null) return request.arrayBuffer();
  const pieces: Uint8Array[] = [];
  let size = 0;
  const reader = request.body.getReader(); // left as it is, not cancelled: the answer goes over the same connection
  for (let read = await reader.read(); !read.done; read = await reader.read()) {
    size += read.value.length;
    if (size > maxBytes) throw tooLarge();
    pieces.push(read.value);
  }
  return Buffer.concat(pieces);
}

function parse(bytes: ArrayBuffer | Uint8Array): unknown {
  const text = inWords(() => UTF8.decode(bytes));
  if (isTooMuchJson(text)) throw refusal('The body holds too many values, or too many within each other.');
  return inWords(() => JSON.parse(text));
}

function inWords<Result>(read: () => Result): Result {
  try {
    return read();
  } catch {
    throw refusal('The body is no JSON in UTF-8.');
  }
}

function isNothingOrJson(parameter: string | null): boolean {
  if (parameter === null || parameter === '') return true;
  try {
    JSON.parse(parameter);
    return true;
  } catch {
    return false;
  }
}

/** Some clients send several types; the first one counts. */
function isJson(contentType: string | null): boolean {
  return /^application\/(graphql\+)?json\s*(;|,|$)/i.test(contentType ?? '');
}

function tooLarge(): GraphQLError {
  return new GraphQLError('The body is too large.', {
    extensions: { code: 'REQUEST_ENTITY_TOO_LARGE', http: { status: 413 } },
  });
}

function refusal(message: string): GraphQLError {
  return new GraphQLError(message, { extensions: { code: 'BAD_REQUEST', http: { status: 400 } } });
}
