/**
 * Owns: what the primary and its workers tell each other, and how a connection goes along with it.
 * Does not own: who answers what (`primary.ts`, `primary-link.ts`).
 *
 * Both are one version of the same program, started by the same command: nothing is checked on arrival.
 */
import type { ChildProcess } from 'node:child_process';
import type { IncomingHttpHeaders } from 'node:http';
import type { Socket } from 'node:net';
import type { Phase, PhaseOutcome } from '../../machines/service.ts';
import type { Reading } from '../../telemetry/metrics/reading.ts';
import type { StartOutcome } from '../service.ts';
import type { LoadReport } from './worker-load.ts';

export interface Address {
  host: string;
  port: number;
}

/** Of an error of the system, what a phase of the start tells of it. */
export interface ListenFailure {
  message: string;
  code: string;
  address: string;
  port: number;
}

/** The head of a request that asks for another protocol, and what came after it. */
export interface UpgradeRequest {
  method: string;
  url: string;
  headers: IncomingHttpHeaders;
  rest: Uint8Array;
}

/**
 * A connection that was handed over is answered only once it is closed everywhere else: two processes that read it would
 * share its bytes. Until then whoever had it keeps it open, so that it is not lost with the one that was to get it.
 */
export type ToWorker =
  /** With the socket. `number` counts the connections that this worker was handed. */
  | { type: 'connection'; number: number }
  /** Answers `open`. */
  | { type: 'opened'; port: number }
  | { type: 'openFailed'; failure: ListenFailure }
  /** Answers `close`: no connection comes after it. */
  | { type: 'closed' }
  /** All workers that take connections. */
  | { type: 'siblings'; instances: readonly string[] }
  /** With the socket: a sibling's upgrade, to be told as taken, and served once it is released. */
  | { type: 'upgrade'; key: number; request: UpgradeRequest }
  | { type: 'upgradeReleased'; key: number }
  /** What became of an upgrade that this worker passed on: `moved`, it is to close it; else it serves it. */
  | { type: 'upgradePassed'; key: number; moved: boolean }
  | { type: 'readMetrics'; key: number }
  | { type: 'metricsText'; key: number; text: string }
  | { type: 'drain' | 'stop'; reason: string };

export type ToPrimary =
  | { type: 'open'; instance: string; address: Address }
  | { type: 'close' }
  | { type: 'load'; report: LoadReport }
  /** With the socket. */
  | { type: 'passUpgrade'; key: number; instance: string; request: UpgradeRequest }
  | { type: 'upgradeTaken'; key: number }
  | { type: 'releaseUpgrade'; key: number }
  | { type: 'askMetrics'; key: number }
  /** Answers `readMetrics`; without a key it is the last word. */
  | { type: 'metrics'; key: number | null; readings: readonly Reading[] }
  | { type: 'phase'; phase: Phase; outcome: PhaseOutcome }
  | { type: 'started'; outcome: StartOutcome; allPassed: boolean }
  | { type: 'draining'; withinMs: number };

/** Either end of the channel. */
export type Channel = Pick<ChildProcess, 'send' | 'connected'>;

/**
 * Tells the far side, or nobody where it is gone. The socket stays open here, too.
 *
 * Node.js counts a server's connections in the processes that it sent them to, and a server would not close before all of
 * them had answered: so the socket is none of a server's any more.
 */
export function tell(channel: Channel, message: ToWorker | ToPrimary, socket?: Socket): void {
  if (!channel.connected) return;
  if (socket) Object.assign(socket, { server: null });
  channel.send(message, socket, { keepOpen: true }, () => undefined);
}
