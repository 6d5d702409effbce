import type { InputPart } from '../protocol/content.ts';
import type { JsonObject, McpSecrets, McpServerTool, McpTool } from '../protocol/tools.ts';
import { callResult, toInputParts } from './mcp/content.ts';
import { atMost, within } from './mcp/deadline.ts';
import { SessionGone, toToolFailure } from './mcp/errors.ts';
import { createMcpFetch, type Fetch } from './mcp/fetch.ts';
import { listTools } from './mcp/list-tools.ts';
import { createSecretGuard, type McpSecretGuard } from './mcp/secrets.ts';
import { type McpSession, openSession } from './mcp/session.ts';
import { ToolFailure } from './tool-failure.ts';

export type { Fetch } from './mcp/fetch.ts';

export interface McpServersOptions {
  /** Whatever it throws as a ToolFailure is what the caller gets. */
  readonly fetch: Fetch;
  readonly secrets: McpSecrets;
  /** For each use of a server, in milliseconds: connecting, if need be, and all that is asked. */
  readonly timeoutMs: number;
}

/** One call of a tool, by the name that its server gave it. */
export interface McpCall {
  readonly name: string;
  readonly args: JsonObject;
}

/**
 * The MCP servers of one run: one session per server, opened when first needed, closed at the end. Every method
 * throws a ToolFailure whose message holds none of the server's secrets, or the reason of its signal.
 */
export interface McpServers {
  /** Every page of the server's tools. */
  list(server: McpServerTool, signal: AbortSignal): Promise<readonly McpTool[]>;
  /** Opens the session if it is not open. Concurrent callers share one attempt; after a failed one there may be another. */
  connect(server: McpServerTool, signal: AbortSignal): Promise<void>;
  /** @throws ToolFailure `execution` if the tool says that it failed, with its words */
  call(server: McpServerTool, call: McpCall, signal: AbortSignal): Promise<readonly InputPart[]>;
  /** From then on nothing else works. Never throws, never takes longer than 2 seconds. */
  close(): Promise<void>;
}

/** What is kept for a server, whether there is a session with it or not. */
interface Contact {
  readonly guard: McpSecretGuard;
  readonly fetch: Fetch;
  session: Promise<McpSession> | null;
}

/** Less than what `close` promises, and more than a session takes for its goodbye. */
const CLOSE_MS = 1800;

interface Use<Result> {
  readonly server: McpServerTool;
  readonly signal: AbortSignal;
  /** Begins the sentence "… took longer than 60 seconds." */
  readonly subject: string;
  readonly work: (session: McpSession, contact: Contact, signal: AbortSignal) => Promise<Result>;
}

/** Those of a run that was given none, as most are. */
export const NO_MCP_SERVERS: McpServers = {
  list: () => Promise.reject(NONE),
  connect: () => Promise.reject(NONE),
  call: () => Promise.reject(NONE),
  close: () => Promise.resolve(),
};

export function createMcpServers({ fetch, secrets, timeoutMs }: McpServersOptions): McpServers {
  const contacts = new Map<string, Contact>();
  const sessions = new Set<McpSession>();
  const attempts = new Set<Promise<unknown>>();
  const closing = new AbortController();

  function contactOf({ serverLabel }: McpServerTool): Contact {
    const known = contacts.get(serverLabel);
    if (known !== undefined) return known;
    const guard = createSecretGuard(secrets.get(serverLabel));
    const contact = { guard, fetch: createMcpFetch(fetch, guard), session: null };
    contacts.set(serverLabel, contact);
    return contact;
  }

  async function sessionWith(server: McpServerTool, contact: Contact): Promise<McpSession> {
    contact.session ??= open(server, contact);
    const current = contact.session;
    const session = await current;
    if (!session.isOver) return session;
    if (contact.session === current) contact.session = null; // else another caller has begun a new one
    return sessionWith(server, contact);
  }

  /** An attempt of nobody in particular: it ends by itself, however many of those who wait for it leave. */
  function open(server: McpServerTool, contact: Contact): Promise<McpSession> {
    const limits = { timeoutMs, signals: [closing.signal], subject: connecting(server) };
    const attempt = within(limits, (signal) => {
      const opening = openOrClose(server, contact, signal);
      // Longer than the attempt, as the server may have to be told that the session is not wanted.
      const settled: Promise<unknown> = opening.catch(() => {}).finally(() => attempts.delete(settled));
      attempts.add(settled);
      return opening;
    });
    attempt.catch(() => {
      contact.session = null;
    });
    return attempt;
  }

  async function openOrClose(
    server: McpServerTool,
    contact: Contact,
    signal: AbortSignal,
  ): Promise<McpSession> {
    const session = await openSession({ url: server.serverUrl, fetch: contact.fetch, signal });
    if (signal.aborted) await session.close();
    else sessions.add(session);
    return session;
  }

  async function use<Result>({ server, signal, subject, work }: Use<Result>): Promise<Result> {
    signal.throwIfAborted();
    const contact = contactOf(server);
    const limits = { timeoutMs, signals: [signal, closing.signal], subject };
    try {
      return await within(limits, async (inTime) => {
        try {
          return await work(await sessionWith(server, contact), contact, inTime);
        } catch (error) {
          // It may be asked again; once, or two confused sides would never end.
          if (!(error instanceof SessionGone)) throw error;
          return await work(await sessionWith(server, contact), contact, inTime);
        }
      });
    } catch (error) {
      signal.throwIfAborted();
      throw toToolFailure(error, contact.guard.redact);
    }
  }

  return {
    list: (server, signal) =>
      use({
        server,
        signal,
        subject: `Listing the tools of "${server.serverLabel}"`,
        work: (session, { guard }, inTime) => listTools(session, guard.redactJson, inTime),
      }),
    connect: (server, signal) =>
      use({ server, signal, subject: connecting(server), work: () => Promise.resolve() }),
    call: (server, { name, args }, signal) =>
      use({
        server,
        signal,
        subject: `The tool "${name}"`,
        async work(session, { guard }, inTime) {
          const request = { method: 'tools/call', params: { name, arguments: args } } as const;
          const schema = callResult(guard.redactJson);
          return toInputParts(await session.request({ request, schema, progress: true }, inTime));
        },
      }),
    async close() {
      closing.abort(CLOSED);
      await atMost(CLOSE_MS, Promise.all([...attempts, ...Array.from(sessions, (each) => each.close())]));
    },
  };
}

const NONE = new ToolFailure('http', 'There is no MCP server.');

/** One for all: making it costs more than all else about a close. */
const CLOSED = new ToolFailure('http', 'The connections to MCP servers are closed.');

function connecting({ serverLabel }: McpServerTool): string {
  return `Connecting to "${serverLabel}"`;
}
