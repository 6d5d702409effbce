import { createHash } from 'node:crypto';
import type { GraphiQLOptions } from 'graphql-yoga';

/** What the first tab of GraphiQL shows. */
const QUERY = `# 1. Run Ask: it starts a response.
# 2. Run Follow: it replays what was said
#    and goes on live, one event at a time.
#    On this page "latest" is the response
#    that Ask started last. Run Ask first!
# A server that wants a key reads it from
# the tab Headers below:
# { "Authorization": "Bearer rgk_..." }
# Then the round arrows on the left fetch
# the schema, for the docs and for hints.

mutation Ask {
  createResponse(input: {
    input: { text: "Hello! What are you?" }
    stream: true
  }) {
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

subscription Follow {
  responseStream(id: "latest") {
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

mutation Cancel {
  cancelResponse(input: { id: "latest" }) {
    response {
      status
      outputText
    }
    errors {
      code
      message
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
const LATEST = String.raw`
(() => {
  const send = window.fetch;
  let latest = '';
  window.fetch = async (resource, options = {}) => {
    const asked = typeof options.body === 'string' ? options.body : '';
    const body = asked.replace(/(id: ?\\")latest(?=\\")/g, (found, start) => (latest ? start + latest : found));
    // Subscriptions travel in the address.
    const address = String(resource).replace(/%28id%3A(\+?)%22latest%22/, '%28id%3A$1%22' + (latest || 'latest') + '%22');
    const answer = await send(address, asked === body ? options : { ...options, body });
    if (body.includes('createResponse')) {
      const text = await answer.clone().text();
      latest = /"createResponse":\{"response":\{"id":"(resp_[0-9a-f]+)"/.exec(text)?.[1] ?? latest;
    }
    return answer;
  };
})();
`;

const OPTIONS: GraphiQLOptions = {
  title: 'Responses over GraphQL',
  defaultTabs: [{ query: QUERY }],
  subscriptionsProtocol: 'SSE',
};

/**
 * Opens the tabs of the last visit as the defaults of this one. Left to itself GraphiQL restores them, but opens an
 * empty tab in front of them.
 */
const RESTORE = `
function withTabsOfLastVisit(options) {
  try {
    const { tabs } = JSON.parse(localStorage.getItem('graphiql:tabState'));
    const kept = tabs.filter(({ query }) => query).map(({ query, variables, headers }) => ({ query, variables, headers }));
    localStorage.removeItem('graphiql:tabState');
    return kept.length > 0 ? { ...options, defaultTabs: kept } : options;
  } catch {
    return options; // the first visit
  }
}
`;

let page: Promise<string> | undefined;

/** GraphiQL as one page that loads nothing from elsewhere. Built when it is first asked for: it is large. */
export function renderPlayground(): Promise<string> {
  page ??= import('@graphql-yoga/render-graphiql').then(({ renderGraphiQL }) => {
    const html = renderGraphiQL(OPTIONS).replace('<body', () => `<script>${LATEST}${RESTORE}</script><body`);
    const options = JSON.stringify(OPTIONS);
    const at = html.lastIndexOf(options);
    return `${html.slice(0, at)}withTabsOfLastVisit(${options})${html.slice(at + options.length)}`;
  });
  return page;
}

let policy: Promise<string> | undefined;

/** The content security policy of the page: its own scripts, by their hashes, and no other server. */
export function playgroundPolicy(): Promise<string> {
  policy ??= renderPlayground().then((html) => {
    const scripts = Array.from(html.matchAll(/<script\b[^>]*>([\s\S]*?)<\/script>/g), ([, code = '']) => {
      return `'sha256-${createHash('sha256').update(code).digest('base64')}'`;
    });
    return [
      "default-src 'none'",
      `script-src ${scripts.join(' ')}`,
      "style-src 'unsafe-inline'", // the editor measures itself and styles its lines
      'font-src data:',
      'img-src data:',
      'worker-src blob:',
      "connect-src 'self'",
      "base-uri 'none'",
      "form-action 'none'",
      "frame-ancestors 'none'",
    ].join('; ');
  });
  return policy;
}
