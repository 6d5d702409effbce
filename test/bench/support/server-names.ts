/** Ours in its two variants, and the floors that it is compared with. */
export const SERVER_NAMES = [
  'ours, joining off',
  'ours, adaptive',
  'byte proxy',
  'bare ws',
  'stock graphql-ws',
  'obvious build',
] as const;

export type ServerName = (typeof SERVER_NAMES)[number];

/** What the process runs, from the project's root, and its environment beyond that of all. */
export interface Program {
  readonly file: string;
  readonly environment: { readonly [key: string]: string };
}

/** Streams that wait, as some scenarios have them, are no failure. */
const PATIENT = { MODEL_IDLE_TIMEOUT_MS: '3600000' };

export function programOf(name: ServerName): Program {
  switch (name) {
    case 'ours, joining off':
      return { file: 'src/main.ts', environment: { ...PATIENT, DELTA_JOINING: 'off' } };
    case 'ours, adaptive':
      return { file: 'src/main.ts', environment: { ...PATIENT, DELTA_JOINING: 'adaptive' } };
    case 'byte proxy':
      return { file: 'test/bench/servers/byte-proxy.ts', environment: {} };
    case 'bare ws':
      return { file: 'test/bench/servers/bare-ws.ts', environment: {} };
    case 'stock graphql-ws':
      return { file: 'test/bench/servers/stock-graphql-ws.ts', environment: {} };
    case 'obvious build':
      return { file: 'test/bench/servers/obvious.ts', environment: {} };
    default:
      return name satisfies never;
  }
}
