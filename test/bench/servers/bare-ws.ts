import { WebSocketServer } from 'ws';
import { listen } from './environment.ts';
import { completedEvent, deltaEvent } from './event.ts';
import { ask, readDeltas } from './read-deltas.ts';

/** No GraphQL: a parser by hand, and one `send` of one `JSON.stringify` for each delta. */
const server = listen((_request, answer) => answer.writeHead(404).end());
const sockets = new WebSocketServer({ server });
sockets.on('connection', (socket) => {
  const play = async (model: string) => {
    let sequenceNumber = 0;
    for await (const deltas of readDeltas(await ask(model)))
      for (const delta of deltas) socket.send(JSON.stringify(deltaEvent(sequenceNumber++, delta)));
    socket.send(JSON.stringify(completedEvent(sequenceNumber)));
    socket.send('{"end":true}');
  };
  socket.on('message', (data) => void play(String(data)));
});
