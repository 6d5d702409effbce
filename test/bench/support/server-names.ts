/** Ours in its two variants, and the floors that it is compared with. */
export const SERVER_NAMES = [
  'ours, joining off',
  'ours, adaptive',
  'ours, guarded',
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
  /** True if its clients need a key. */
  readonly hasKey?: boolean;
}

/** Streams that wait, as some scenarios have them, are no failure. All load comes from one caller. */
const PATIENT = {
  MODEL_IDLE_TIMEOUT_MS: '3600000',
  MAX_CONNECTIONS_PER_KEY: '0',
  MAX_SUBSCRIPTIONS_PER_KEY: '0',
  MAX_RUNS_PER_KEY: '0',
  MAX_RUNS_PER_MINUTE: '0',
};

/** Every limit stands, and none is reached. */
const GUARDED = {
  AUTH: 'keys',
  INTROSPECTION: 'false',
  GRAPHIQL: 'false',
  MAX_CONNECTIONS_PER_KEY: '1000000',
  MAX_SUBSCRIPTIONS_PER_KEY: '1000000',
  MAX_RUNS_PER_KEY: '1000000',
  MAX_RUNS_PER_MINUTE: '1000000000',
};

export function programOf(name: ServerName): Program {
  switch (name) {
    case 'ours, joining off':
      return { file: 'src/main.ts', environment: { ...PATIENT, DELTA_JOINING: 'off' } };
    case 'ours, adaptive':
      return { file: 'src/main.ts', environment: { ...PATIENT, DELTA_JOINING: 'adaptive' } };
    case 'ours, guarded':
      return { file: 'src/main.ts', environment: { ...PATIENT, ...GUARDED }, hasKey: true };
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
