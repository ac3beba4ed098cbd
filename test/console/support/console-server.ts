/** The console as it is served, on a free port, with the fake desk behind it. */
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import { openAdminServer } from '../../../src/adapters/http/admin-server.ts';
import { pageAsset } from '../../../src/console/assets.ts';
import { systemClock } from '../../../src/platform/clock.ts';
import type { FakeDesk } from './fake-desk.ts';

export interface ConsoleServer {
  url: string;
  /** Media streams that a page has opened, oldest first. */
  streams: WebSocket[];
  close(): Promise<void>;
}

const health = () => ({
  healthy: false,
  summary: 'The model has been out of reach for 40 s. New calls are declined: the model cannot be reached.',
  ready: true,
  admitting: false,
  declineCause: 'model',
  state: 'running',
  instance: 'london-1',
  publicUrl: 'https://calls.example.com',
  liveCalls: 3,
  journalStalledMs: 0,
  clockSkewMs: 3,
  dependencies: {
    journal: {
      state: 'up',
      since: '2026-11-26T08:00:00.000Z',
      found: 'answers',
      needed: true,
      latencyMs: 2,
      lookedAt: null,
      failuresInARow: 0,
      lastError: null,
      proves: 'it writes',
      without: 'no call can begin',
    },
    model: {
      state: 'down',
      since: '2026-11-26T08:40:00.000Z',
      found: 'connection refused',
      needed: true,
      latencyMs: null,
      lookedAt: null,
      failuresInARow: 4,
      lastError: { message: 'ECONNREFUSED' },
      proves: 'a session opens',
      without: 'new calls are declined, and live ones wait',
    },
  },
  phases: {
    configuration: { outcome: 'passed', detail: 'everything is there', advice: null, tookMs: 3 },
    model: {
      outcome: 'failed',
      detail: 'connection refused',
      advice: 'Look at the status page of the model.',
      tookMs: 3_000,
    },
  },
});

export async function openConsole(
  desk: FakeDesk,
  onStream: (stream: WebSocket) => void,
  token: string | null = null,
): Promise<ConsoleServer> {
  const sockets = new WebSocketServer({ noServer: true });
  const streams: WebSocket[] = [];
  const onMediaUpgrade = (request: IncomingMessage, socket: Duplex, head: Buffer): void =>
    sockets.handleUpgrade(request, socket, head, (stream) => {
      onStream(stream);
      streams.push(stream);
    });
  const nothing = (): void => undefined;
  const errors: unknown[] = [];
  const server = await openAdminServer({
    host: '127.0.0.1',
    port: 0,
    token,
    publicUrl: () => null,
    localName: 'ada',
    clock: systemClock,
    health,
    metrics: { contentType: 'text/plain', text: async () => '' },
    console: { desk, asset: pageAsset, onMediaUpgrade, onFact: nothing, onCut: nothing },
    onRefused: nothing,
    onError: (error) => void errors.push(error),
  });
  return {
    url: `http://127.0.0.1:${server.port}`,
    streams,
    close: async () => {
      for (const stream of streams) stream.terminate();
      await server.close();
      sockets.close();
      if (errors.length > 0) throw errors[0];
    },
  };
}
