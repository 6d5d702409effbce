import type { OpenLine } from '../clients/line.ts';
import { openOursSse, openStockSse } from '../clients/lines.ts';
import type { Scenario } from '../support/scenario.ts';
import type { ServerName } from '../support/server-names.ts';
import { measureUnpaced, playUnpaced } from '../support/unpaced.ts';

const DELTAS = 4000;

const lineOf = (name: ServerName): OpenLine => (name.startsWith('ours') ? openOursSse : openStockSse);

export const sse: Scenario = {
  name: 'sse',
  title:
    'CPU for each delta of the upstream, over server-sent events, one stream after the other as fast as it goes',
  servers: ['ours, joining off', 'ours, adaptive', 'obvious build'],
  targets: [
    { column: 'µs/delta', of: 'ours, joining off', against: 'obvious build', sense: 'at most', ratio: 0.6 },
    { column: 'µs/delta', of: 'ours, adaptive', against: 'obvious build', sense: 'at most', ratio: 0.6 },
  ],
  async warmUp(server, { isQuick }) {
    await playUnpaced(server.url, lineOf(server.name), { streams: isQuick ? 6 : 15, deltas: DELTAS });
  },
  measure: (server, { isQuick }) =>
    measureUnpaced(server, lineOf(server.name), { streams: isQuick ? 3 : 5, deltas: DELTAS }),
};
