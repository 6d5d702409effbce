import { once } from 'node:events';
import type { Server } from 'node:http';
import { AppError, messageOf } from '../util/errors.ts';

const HOST = '127.0.0.1';

export interface Listener {
  /** `http://127.0.0.1:PORT` */
  readonly origin: string;
  /** Stops listening and cuts the answers that are still being sent. May be called again. */
  close(): Promise<void>;
}

export interface ListenOptions {
  /** The server, as the start of a sentence that says why it cannot start. */
  readonly who: string;
  /** Any free one unless told. */
  readonly port?: number;
}

/** Opens a server on loopback only: what the demo starts is for this machine. */
export async function listen(server: Server, { who, port = 0 }: ListenOptions): Promise<Listener> {
  try {
    await once(server.listen(port, HOST), 'listening');
  } catch (cause) {
    throw new AppError('START_FAILED', `${who} cannot listen: ${messageOf(cause)}`, { cause });
  }
  const address = server.address();
  if (address === null || typeof address === 'string') {
    throw new AppError('START_FAILED', `${who} listens on no port.`);
  }

  let closed: Promise<void> | undefined;
  return {
    origin: `http://${HOST}:${address.port}`,
    close() {
      closed ??= new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      });
      return closed;
    },
  };
}
