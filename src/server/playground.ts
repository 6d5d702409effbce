import type { GraphiQLOptions } from 'graphql-yoga';

/** What the first tab of GraphiQL shows. */
const QUERY = `# Run Ask (the button above, or Ctrl-Enter inside it): it starts a response and comes back at once.
# Then run Follow: it replays what was said and follows the rest, live.
# "latest" stands for the response that Ask started last on this page; any other id works too.

mutation Ask {
  createResponse(input: { input: { text: "Hello! What are you?" }, stream: true }) {
    response {
      id
      status
      streamCursor
    }
    errors {
      code
      message
      path
    }
  }
}

subscription Follow($id: ID!) {
  responseStream(id: $id) {
    __typename
    sequenceNumber
    ... on OutputTextDeltaEvent {
      delta
    }
    ... on ResponseLifecycleEvent {
      response {
        status
        outputText
        usage {
          totalTokens
        }
        error {
          message
        }
      }
    }
  }
}

query Recent {
  responses(first: 5) {
    nodes {
      id
      createdAt
      status
      outputText
    }
  }
}
`;

/** Puts the id that createResponse gave last in the place of "latest", so that the first tab runs as it stands. */
const LATEST = `
(() => {
  const send = window.fetch;
  let latest = null;
  window.fetch = async (resource, options = {}) => {
    if (latest && typeof options.body === 'string') {
      options = { ...options, body: options.body.replace('"id":"latest"', '"id":' + JSON.stringify(latest)) };
    }
    const answer = await send(resource, options);
    const type = answer.headers.get('content-type') || '';
    if (!type.includes('event-stream')) {
      answer.clone().json().then((result) => {
        latest = result?.data?.createResponse?.response?.id ?? latest;
      }).catch(() => {});
    }
    return answer;
  };
})();
`;

const OPTIONS: GraphiQLOptions = {
  title: 'Responses over GraphQL',
  defaultTabs: [{ query: QUERY, variables: JSON.stringify({ id: 'latest' }, null, 2) }],
  subscriptionsProtocol: 'SSE',
};

let page: Promise<string> | undefined;

/** GraphiQL as one page that loads nothing from elsewhere. Built when it is first asked for: it is large. */
export function renderPlayground(): Promise<string> {
  page ??= import('@graphql-yoga/render-graphiql').then(({ renderGraphiQL }) =>
    renderGraphiQL(OPTIONS).replace('<body', () => `<script>${LATEST}</script><body`),
  );
  return page;
}
