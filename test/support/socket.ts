import { createClient } from 'graphql-ws';
import { WebSocket } from 'ws';
import { CREATE } from './graphql.ts';

/** One WebSocket with one `createResponse` that waits on it. */
export function createOverSocket({ url }: { readonly url: string }, input: object) {
  const client = createClient({ url: url.replace('http', 'ws'), webSocketImpl: WebSocket, retryAttempts: 0 });
  const answers = client.iterate<{ createResponse: { response: unknown } }>({
    query: CREATE,
    variables: { input },
  });
  const answer = answers.next().then(
    ({ value }) => value?.data?.createResponse ?? null,
    () => null,
  );
  return {
    /** The payload; null if it never came. */
    answer,
    /** Sends `complete` for the operation; the socket stays. */
    complete: () => void answers.return?.(),
    /** Cuts the socket without a goodbye. */
    cut: () => client.terminate(),
    close: () => client.dispose(),
  };
}
