import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import type { CallToolResult } from '@modelcontextprotocol/sdk/types.js';
import { z } from 'zod';

interface User {
  readonly id: string;
  readonly name: string;
  readonly permissions: readonly string[];
}

/** An id is the year of a birth, so that nobody has to look one up twice. */
const USERS: readonly User[] = [
  { id: 'user_1815', name: 'Ada Lovelace', permissions: ['write the first program', 'correct Mr. Babbage'] },
  { id: 'user_1906', name: 'Grace Hopper', permissions: ['remove moths', 'ask forgiveness, not permission'] },
  { id: 'user_1912', name: 'Alan Turing', permissions: ['break codes', 'imitate machines'] },
];

const UserId = z.string().describe('What find_user answers, e.g. user_1815.');

/**
 * Three tools that need no network and always answer the same: two to look something up, of which the second needs
 * what the first one answers, and one that would do something, for approvals to ask about.
 */
export function createDemoTools(): McpServer {
  const server = new McpServer({ name: 'demo', version: '1.0.0' });
  server.registerTool(
    'find_user',
    {
      description: 'Finds the id of a user by a part of the name.',
      inputSchema: { name: z.string().min(1).describe('E.g. Ada.') },
      annotations: { readOnlyHint: true },
    },
    ({ name }) => {
      const user = USERS.find((each) => each.name.toLowerCase().includes(name.toLowerCase()));
      if (user !== undefined) return said(`${user.name} is ${user.id}.`);
      return failed(`Nobody here is called ${name}. Here are ${USERS.map((each) => each.name).join(', ')}.`);
    },
  );
  server.registerTool(
    'list_permissions',
    {
      description: 'Lists what a user may do.',
      inputSchema: { userId: UserId },
      annotations: { readOnlyHint: true },
    },
    ({ userId }) => withUser(userId, (user) => `${user.name} may ${user.permissions.join('; ')}.`),
  );
  server.registerTool(
    'send_postcard',
    {
      description: 'Sends a postcard to a user.',
      inputSchema: { userId: UserId, text: z.string().min(1).max(200) },
      annotations: { readOnlyHint: false },
    },
    ({ userId, text }) => withUser(userId, (user) => `A postcard is on its way to ${user.name}: "${text}"`),
  );
  return server;
}

function withUser(id: string, say: (user: User) => string): CallToolResult {
  const user = USERS.find((each) => each.id === id);
  return user === undefined ? failed(`There is no user ${id}.`) : said(say(user));
}

const said = (text: string): CallToolResult => ({ content: [{ type: 'text', text }] });

/** An answer that the model is meant to read and to mend. */
const failed = (text: string): CallToolResult => ({ ...said(text), isError: true });
