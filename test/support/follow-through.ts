import { follow, type StreamEvent, type StreamVariables, type Transport } from './stream.ts';

/** So many connections in a row that bring nothing: then there is no way through. */
const MAX_BARREN = 100;

/**
 * Follows a response to its end, however often the connection is lost: each time it goes on behind the last event
 * that arrived. What the server itself refuses is thrown.
 */
export async function* followThrough(
  server: { readonly url: string },
  variables: StreamVariables,
  transport: Transport = 'WebSocket',
): AsyncGenerator<StreamEvent, void> {
  let { after } = variables;
  for (let barren = 0; barren < MAX_BARREN; barren++) {
    try {
      for await (const event of follow(server, { ...variables, after }, transport)) {
        barren = 0;
        after = event.cursor;
        yield event;
      }
      return;
    } catch (error) {
      if (!isLoss(error)) throw error;
    }
  }
  throw new Error(`${MAX_BARREN} connections in a row brought nothing behind ${after}.`);
}

/** True for what a client reports when its connection is lost, and not for an error that the server has told. */
function isLoss(error: unknown): boolean {
  if (Array.isArray(error)) return false; // GraphQL errors over a WebSocket
  if (typeof error !== 'object' || error === null || 'errors' in error) return false; // and over SSE
  return true;
}
