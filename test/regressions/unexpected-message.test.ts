import { expect, test } from 'vitest';
import { openSocket } from '../support/raw-socket.ts';
import { startTestApp } from '../support/test-app.ts';

test.each([
  { type: 'connection_ack' },
  { type: 'next', id: '1', payload: { data: null } },
  { type: 'error', id: '1', payload: [{ message: 'x' }] },
])(
  'a client that says what only servers say is closed for what it did, which is no failure of the server: %j',
  async (message) => {
    await using app = await startTestApp();
    const socket = await openSocket(app);
    socket.send(message);
    expect(await socket.closed).toBe(4400);
  },
);
