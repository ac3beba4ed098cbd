/** Owns: a desk that a test plays: what it was asked, what it answers, and who watches. */
import { FixCallError } from '../../../../src/runtime/ports/errors.ts';
import type {
  BrowserInstruction,
  CallPage,
  CallQuery,
  CallSummary,
  CallView,
  ChartDrawing,
  InstanceFactView,
  InstanceView,
  Operator,
  OperatorCommand,
  OperatorDesk,
  Stop,
} from '../../../../src/runtime/ports/operator.ts';

type CallListener = Parameters<OperatorDesk['watchCall']>[2];

export const summary: CallSummary = {
  callId: 'CA1',
  direction: 'incoming',
  from: '+15550100',
  to: '+15550101',
  owner: 'one',
  startedAt: 1_000,
  endedAt: null,
  endReason: null,
  lastSeq: 7,
  state: { live: {} },
  stateText: 'live: ',
  latencyMs: 700,
  recovering: false,
  recoveries: 0,
};

export const view: CallView = {
  call: summary,
  chart: 2,
  configurations: [['ringing']],
  steps: Array.from({ length: 450 }, (_, index) => ({
    entry: { type: 'call.answered', by: 'us', seq: index + 1, at: 1_000 + index },
    payloads: {},
    text: 'call.answered by=us “ü”',
    configuration: 0,
    edges: [],
    commands: [],
    context: {},
    timers: {},
    matches: true,
  })),
  lines: [],
  turns: [],
  recoveries: [],
  troubles: [],
  fault: null,
};

const drawing: ChartDrawing = { number: 2, name: 'call', width: 1, height: 1, nodes: [], edges: [] };

export class FakeDesk implements OperatorDesk {
  readonly asked: unknown[] = [];
  readonly listWatchers = new Set<(calls: CallSummary[]) => void>();
  readonly callWatchers = new Set<CallListener>();
  readonly inspections = new Set<(message: string) => Promise<void>>();
  /** Thrown by the next request. */
  failure: unknown = null;
  page: CallPage = { calls: [summary], cursor: 'next' };
  /** Told to whoever begins to inspect. */
  inspectorMessages: string[] = ['{"type":"@xstate.actor"}'];

  get watchers(): number {
    return this.listWatchers.size + this.callWatchers.size + this.inspections.size;
  }

  async listCalls(query: CallQuery): Promise<CallPage> {
    return this.#answer(['listCalls', query], this.page);
  }

  watchCalls(listener: (calls: CallSummary[]) => void): Stop {
    this.listWatchers.add(listener);
    listener([summary]);
    return () => this.listWatchers.delete(listener);
  }

  async readCall(callId: string): Promise<CallView> {
    if (callId === 'none') throw new FixCallError('call.unknown', 'There is no call none.');
    return this.#answer(['readCall', callId], view);
  }

  watchCall(callId: string, afterSeq: number, listener: CallListener): Stop {
    this.asked.push(['watchCall', callId, afterSeq]);
    this.callWatchers.add(listener);
    return () => this.callWatchers.delete(listener);
  }

  chart(number: number): ChartDrawing | null {
    return number === 2 ? drawing : null;
  }

  async instances(): Promise<InstanceView[]> {
    const row = { instance: 'one', host: 'h', pid: 1, ready: true, startedAt: 0, beatAgeMs: 5, here: true };
    return this.#answer(['instances'], [row]);
  }

  async instanceLog(query: object): Promise<InstanceFactView[]> {
    return this.#answer(['instanceLog', query], []);
  }

  async command(callId: string, command: OperatorCommand, operator: Operator): Promise<void> {
    return this.#answer(['command', callId, command, operator], undefined);
  }

  async exportCall(callId: string): Promise<string> {
    return this.#answer(['exportCall', callId], '{"call":1}');
  }

  async inspect(callId: string, listener: (message: string) => Promise<void>): Promise<Stop> {
    this.#answer(['inspect', callId], null);
    this.inspections.add(listener);
    void this.#tell(listener);
    return () => this.inspections.delete(listener);
  }

  async callFromBrowser(operator: Operator): Promise<BrowserInstruction> {
    return this.#answer(['callFromBrowser', operator], { do: 'wait', callId: 'CAb', afterMs: 5 });
  }

  async continueFromBrowser(callId: string): Promise<BrowserInstruction> {
    return this.#answer(['continueFromBrowser', callId], { do: 'end', callId, because: 'over' });
  }

  async leaveFromBrowser(callId: string): Promise<void> {
    return this.#answer(['leaveFromBrowser', callId], undefined);
  }

  async #tell(listener: (message: string) => Promise<void>): Promise<void> {
    for (const message of this.inspectorMessages) if (this.inspections.has(listener)) await listener(message);
  }

  #answer<Answer>(asked: unknown, answer: Answer): Answer {
    this.asked.push(asked);
    const { failure } = this;
    this.failure = null;
    if (failure !== null) throw failure;
    return answer;
  }
}
