/** The desk behind the console's server, with calls that were told and no journal. */

import { drawingOf } from '../../../src/console/charts/drawings.ts';
import { FixCallError } from '../../../src/runtime/ports/errors.ts';
import type {
  BrowserInstruction,
  CallPage,
  CallPatch,
  CallQuery,
  CallSummary,
  CallView,
  ChartDrawing,
  InstanceFactView,
  InstanceView,
  Operator,
  OperatorCommand,
  OperatorDesk,
  SoundView,
  Stop,
} from '../../../src/runtime/ports/operator.ts';
import type { ToldCall } from './told-call.ts';

type Watcher = Parameters<OperatorDesk['watchCall']>[2];

export class FakeDesk implements OperatorDesk {
  readonly commands: { callId: string; command: OperatorCommand; operator: Operator }[] = [];
  readonly asked: string[] = [];
  /** What the browser is told, one after the other. */
  instructions: BrowserInstruction[] = [];
  readonly #calls = new Map<string, ToldCall>();
  readonly #watchers = new Map<string, Set<Watcher>>();
  readonly #startedAt = Date.now() - 5_400_000;

  constructor(calls: readonly ToldCall[]) {
    for (const call of calls) this.#calls.set(call.callId, call);
  }

  call(callId: string): ToldCall {
    const found = this.#calls.get(callId);
    if (!found) throw new FixCallError('call.unknown', `there is no call ${callId}`);
    return found;
  }

  sound(callId: string, sound: SoundView): void {
    for (const watcher of this.#watchers.get(callId) ?? []) watcher.sound(sound);
  }

  async listCalls(query: CallQuery): Promise<CallPage> {
    const {
      live,
      direction,
      endReason,
      text,
      startedAfter = 0,
      startedBefore = Number.POSITIVE_INFINITY,
    } = query;
    const all = [...this.#calls.values()]
      .map((call) => call.projection.view())
      .filter(({ call, lines }) => {
        const words = [call.callId, call.from, call.endReason, ...lines.map((line) => line.text)].join(' ');
        return (
          (live === undefined || live === (call.endedAt === null)) &&
          (!direction || call.direction === direction) &&
          (!endReason || call.endReason === endReason) &&
          (!text || words.toLowerCase().includes(text.toLowerCase())) &&
          call.startedAt > startedAfter &&
          call.startedAt < startedBefore
        );
      })
      .map(({ call }) => call)
      .sort((one, other) => other.startedAt - one.startedAt);
    const from = Number(query.cursor ?? 0);
    const to = from + (query.limit ?? 50);
    return { calls: all.slice(from, to), cursor: to < all.length ? String(to) : null };
  }

  watchCalls(listener: (calls: CallSummary[]) => void): Stop {
    const tell = (): void => void this.listCalls({ live: true }).then(({ calls }) => listener(calls));
    tell();
    const timer = setInterval(tell, 250);
    return () => clearInterval(timer);
  }

  async readCall(callId: string): Promise<CallView> {
    return this.call(callId).projection.view();
  }

  watchCall(callId: string, afterSeq: number, watcher: Watcher): Stop {
    const call = this.call(callId);
    let seen = afterSeq;
    const tell = (): void => {
      if (call.lastSeq <= seen) return;
      const patch: CallPatch = call.projection.patchAfter(seen);
      seen = call.lastSeq;
      watcher.patch(patch);
    };
    const watchers = this.#watchers.get(callId) ?? new Set();
    this.#watchers.set(callId, watchers.add(watcher));
    const stop = call.onTold(tell);
    tell();
    return () => {
      stop();
      watchers.delete(watcher);
    };
  }

  chart(number: number): ChartDrawing | null {
    return drawingOf(number);
  }

  async instances(): Promise<InstanceView[]> {
    const common = { host: 'ip-10-0-0-4', ready: true, startedAt: this.#startedAt };
    return [
      { ...common, instance: 'london-1', pid: 4_120, beatAgeMs: 640, here: true },
      { ...common, instance: 'london-2', pid: 4_388, beatAgeMs: 910, here: false },
      { ...common, instance: 'london-0', pid: 3_907, ready: false, beatAgeMs: 48_000, here: false },
    ];
  }

  async instanceLog({ instance }: { instance?: string }): Promise<InstanceFactView[]> {
    const facts: InstanceFactView[] = [
      {
        instance: 'london-1',
        at: this.#startedAt + 5_000_000,
        type: 'login.succeeded',
        detail: { operator: 'ada' },
      },
      {
        instance: 'london-2',
        at: this.#startedAt + 4_000_000,
        type: 'request.refused',
        detail: { what: 'signature', route: '/twilio/voice' },
      },
      {
        instance: 'london-1',
        at: this.#startedAt + 2_000,
        type: 'phase.passed',
        detail: { phase: 'webhooks', tookMs: 340 },
      },
      { instance: 'london-1', at: this.#startedAt, type: 'process.started', detail: { version: '0.2.0' } },
    ];
    return facts.filter((fact) => !instance || fact.instance === instance);
  }

  async command(callId: string, command: OperatorCommand, operator: Operator): Promise<void> {
    const { endedAt } = this.call(callId).projection.view().call;
    if (endedAt !== null && command.do !== 'erase')
      throw new FixCallError('call.over', `call ${callId} has ended`);
    this.commands.push({ callId, command, operator });
  }

  async exportCall(callId: string): Promise<string> {
    return JSON.stringify(this.call(callId).projection.view());
  }

  async inspect(callId: string, listener: (message: string) => void): Promise<Stop> {
    listener(JSON.stringify({ type: '@xstate.actor', name: 'call', sessionId: callId }));
    return () => undefined;
  }

  async callFromBrowser({ name }: Operator): Promise<BrowserInstruction> {
    this.asked.push(`call ${name}`);
    return this.#next();
  }

  async continueFromBrowser(callId: string): Promise<BrowserInstruction> {
    this.asked.push(`continue ${callId}`);
    return this.#next();
  }

  async leaveFromBrowser(callId: string): Promise<void> {
    this.asked.push(`leave ${callId}`);
  }

  #next(): BrowserInstruction {
    return this.instructions.shift() ?? { do: 'end', callId: 'CA0', because: 'The call is over.' };
  }
}
