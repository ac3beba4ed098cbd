/** A server that is going down accepts a connection and ends it before a word was said. No PostgreSQL is needed for that. */
import { createServer, type Socket } from 'node:net';
import { expect, test } from 'vitest';
import { openJournal } from '../../src/adapters/journal/open-journal.ts';
import { systemClock as clock } from '../../src/platform/clock.ts';
import { findPort } from '../support/free-port.ts';

const endings: Record<string, (socket: Socket) => void> = {
  'a reset': (socket) => socket.resetAndDestroy(),
  'an end': (socket) => socket.end(),
  'a reset a turn later': (socket) => setImmediate(() => socket.resetAndDestroy()),
  'an end a turn later': (socket) => setImmediate(() => socket.destroy()),
};

test.each(Object.keys(endings))(
  '%s of a connection that was just accepted is told, and nothing waits for it',
  async (name) => {
    const port = await findPort();
    const server = createServer((socket) => {
      socket.on('error', () => undefined);
      endings[name]?.(socket);
    });
    await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
    try {
      const url = `postgres://holdfast@127.0.0.1:${port}/holdfast?sslmode=disable`;
      await expect(openJournal(url, { clock })).rejects.toMatchObject({
        name: 'RetryError',
        code: 'journal.unavailable',
      });
    } finally {
      server.close();
    }
  },
);
