/** Owns: `npm start` with several workers as a process of its own, between both halves of the twin, and a look at it. */
import { openJournal } from '../../../src/adapters/journal/open-journal.ts';
import type { Environment } from '../../../src/config/dotenv.ts';
import { systemClock } from '../../../src/platform/clock.ts';
import { isProcessAlive } from '../../../src/platform/process.ts';
import { readEntries } from '../../../src/runtime/history.ts';
import type { Journal } from '../../../src/runtime/ports/journal.ts';
import type { OpenAiTwin } from '../../../src/twin/openai/server.ts';
import type { CallHandle } from '../../../src/twin/twilio/call/call-handle.ts';
import type { TwinServer } from '../../../src/twin/twilio/server.ts';
import { findPort } from '../../support/free-port.ts';
import { type Host, number, type RunningProcess, until } from './host.ts';

/** The test's end leaves no worker behind that lets go of its calls: the primary is told to stop at once. */
export function spawnPrimary(host: Host, environment: Environment): RunningProcess {
  const primary = host.spawn('src/service/main.ts', environment);
  host.onClose(async () => {
    const isOver = (): boolean => primary.child.exitCode !== null || primary.child.signalCode !== null;
    primary.child.kill('SIGTERM');
    await until(() => isOver() || primary.output().includes('SIGTERM'));
    primary.child.kill('SIGTERM');
    await primary.ended;
  });
  return primary;
}

/** Values by name and labels: all of them, and those that never go back. */
export interface Scrape {
  samples: ReadonlyMap<string, number>;
  counts: ReadonlyMap<string, number>;
}

export class Workers {
  readonly host: Host;
  readonly port: number;
  readonly openai: OpenAiTwin;
  readonly twilio: TwinServer;
  readonly journal: Journal;
  /** Told by the service itself. */
  readonly adminPorts: number[] = [];
  readonly primary: RunningProcess;

  private constructor(
    host: Host,
    parts: Pick<Workers, 'port' | 'openai' | 'twilio' | 'journal' | 'primary'>,
  ) {
    this.host = host;
    this.port = parts.port;
    this.openai = parts.openai;
    this.twilio = parts.twilio;
    this.journal = parts.journal;
    this.primary = parts.primary;
  }

  /** Resolves when all workers are ready. */
  static async start(host: Host, changes: Environment = {}): Promise<Workers> {
    const port = await findPort();
    const publicUrl = `http://127.0.0.1:${port}`;
    const [openai, twilio] = [await host.openai(), await host.twilio(publicUrl)];
    const environment = host.environment({
      PORT: String(port),
      ADMIN_PORT: String(await findPort()),
      PUBLIC_URL: publicUrl,
      OPENAI_REALTIME_URL: openai.url,
      TWILIO_API_URL: twilio.url,
      INSTANCE_ID: 'shop',
      WORKERS: '2',
      ...changes,
    });
    const primary = spawnPrimary(host, environment);
    await until(() => /Ready for calls|Not started/.test(primary.output()));
    const journal = await openJournal(`sqlite:${host.journalPath}`, { clock: systemClock });
    host.onClose(() => journal.close());
    const workers = new Workers(host, { port, openai, twilio, journal, primary });
    const [line = ''] = /HTTP .*/.exec(primary.output()) ?? [];
    for (const [, admin] of line.split('console')[1]?.matchAll(/:(\d+)/g) ?? [])
      workers.adminPorts.push(Number(admin));
    return workers;
  }

  place(count: number): CallHandle[] {
    return Array.from({ length: count }, (_, caller) =>
      this.twilio.placeCall({ to: number, from: `+155501${String(caller).padStart(5, '0')}` }),
    );
  }

  /** Live calls of each worker, by its number. */
  async loads(adminPort = this.adminPorts[0]): Promise<Record<string, number>> {
    const told = [...(await this.scrape(adminPort)).samples].flatMap(([sample, value]) => {
      const [, name] = /^holdfast_worker_calls_live\{worker="(\d+)"/.exec(sample) ?? [];
      return name ? [[name, value] as const] : [];
    });
    return Object.fromEntries(told);
  }

  async scrape(adminPort = this.adminPorts[0]): Promise<Scrape> {
    // A connection that is kept may be closed by the server just as it is used again.
    const answer = await fetch(`http://127.0.0.1:${adminPort}/metrics`, { headers: { connection: 'close' } });
    const scrape = { samples: new Map<string, number>(), counts: new Map<string, number>() };
    let type = '';
    for (const line of (await answer.text()).split('\n')) {
      if (line.startsWith('# TYPE')) type = line.split(' ').at(-1) ?? '';
      if (line === '' || line.startsWith('#')) continue;
      const [sample = ''] = line.split(' # ');
      const at = sample.lastIndexOf(' ');
      const [name, value] = [sample.slice(0, at), Number(sample.slice(at + 1))];
      scrape.samples.set(name, value);
      if (type !== 'gauge') scrape.counts.set(name, value);
    }
    return scrape;
  }

  /** Process ids of the workers that beat, by name. */
  async pids(): Promise<Record<string, number>> {
    const rows = await this.journal.instances();
    return Object.fromEntries(
      rows.filter(({ pid }) => isProcessAlive(pid)).map(({ instance, pid }) => [instance, pid]),
    );
  }

  /** Who claimed the call, one after the other. */
  async owners(callId: string): Promise<string[]> {
    const entries = await readEntries(this.journal, callId);
    return entries.flatMap((entry) => (entry.type === 'owner.claimed' ? [entry.instance] : []));
  }
}
