import type { OpenLine } from '../clients/line.ts';
import { openBare, openOurs, openStock } from '../clients/lines.ts';
import type { Scenario } from '../support/scenario.ts';
import type { ServerName } from '../support/server-names.ts';
import { measureUnpaced, playUnpaced } from '../support/unpaced.ts';

const DELTAS = 4000;

const lineOf = (name: ServerName): OpenLine =>
  name.startsWith('ours') ? openOurs : name === 'bare ws' ? openBare : openStock;

export const ws: Scenario = {
  name: 'ws',
  title: 'CPU for each delta of the upstream, over WebSocket, one stream after the other as fast as it goes',
  servers: ['ours, joining off', 'ours, adaptive', 'bare ws', 'stock graphql-ws', 'obvious build'],
  targets: [
    {
      column: 'µs/delta',
      of: 'ours, joining off',
      against: 'obvious build',
      sense: 'at most',
      ratio: 0.35,
    },
    { column: 'µs/delta', of: 'ours, joining off', against: 'bare ws', sense: 'at most', ratio: 1.2 },
    { column: 'µs/delta', of: 'ours, adaptive', against: 'obvious build', sense: 'at most', ratio: 0.2 },
  ],
  async warmUp(server, { isQuick }) {
    await playUnpaced(server.url, lineOf(server.name), { streams: isQuick ? 6 : 15, deltas: DELTAS });
  },
  measure: (server, { isQuick }) =>
    measureUnpaced(server, lineOf(server.name), { streams: isQuick ? 3 : 5, deltas: DELTAS }),
};
