/**
 * Owns: the process of the load peers, as its parent commands it over the channel between them.
 * Does not own: the peers (`src/twin/load`).
 */
import { LoadPeers } from '../../src/twin/load/load-peers.ts';
import type { Command, Reply } from './peers.ts';

const peers = await LoadPeers.open({
  host: process.argv[2] ?? '127.0.0.1',
  port: Number(process.argv[3] ?? 0),
});

async function obey(command: Command): Promise<unknown> {
  if (command.do === 'place') return await peers.place(command.placement);
  if (command.do === 'startWindow') return peers.measures.startWindow();
  if (command.do === 'roll') return { ...told(), figures: peers.measures.roll() };
  if (command.do === 'window') return { ...told(), figures: windowFigures() };
  if (command.do === 'hangUp') return await peers.hangUp();
  if (command.do === 'clear') return peers.measures.clear();
  return await peers.close();
}

function windowFigures() {
  peers.measures.roll();
  return peers.measures.window();
}

const told = () => ({
  liveCalls: peers.liveCalls,
  liveSessions: peers.liveSessions,
  counts: { ...peers.measures.counts },
});

process.on('message', (command: Command) => {
  void obey(command).then((result) => {
    process.send?.({ id: command.id, result } satisfies Reply);
    if (command.do === 'close') process.disconnect?.();
  });
});
// Whoever measures is gone, and nobody hears what these find.
process.on('disconnect', () => process.exit());
process.send?.({ id: 0, result: peers.port } satisfies Reply);
