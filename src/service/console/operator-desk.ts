/**
 * Owns: everything that the console's server asks for, put together from its parts.
 * Does not own: a single one of them.
 *
 * Invariants:
 * I4. After `stop` nothing is followed, no timer is left, and no page is told anything.
 */
import type { Clock } from '../../runtime/ports/clock.ts';
import type { Journal } from '../../runtime/ports/journal.ts';
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
} from '../../runtime/ports/operator.ts';
import { CallList } from './call-list.ts';
import type { Figures } from './call-summary.ts';
import { CallWatchers } from './call-watchers.ts';
import { type InspectedCall, Inspections } from './inspections.ts';
import type { LocalSteps } from './local-steps.ts';
import { type SoundFigures, Sounds } from './sounds.ts';

export interface OperatorDeskOptions {
  instance: string;
  clock: Clock;
  /** The console's own handle, opened when it is first asked for. */
  journal(): Promise<Journal>;
  /** Null where this version cannot draw it. */
  drawingOf(chart: number): ChartDrawing | null;
  local: LocalSteps;
  /** Of a call that is live here; else null. */
  figuresOf(callId: string): Figures | null;
  /** Of a call whose line is open here; else null. */
  soundOf(callId: string): SoundFigures | null;
  commands: { perform(callId: string, command: OperatorCommand, operator: Operator): Promise<void> };
  browser: {
    begin(operator: Operator): Promise<BrowserInstruction>;
    continue(callId: string): Promise<BrowserInstruction>;
    leave(callId: string): Promise<void>;
  };
  inspectedCall(callId: string): InspectedCall;
  exportCall(journal: Journal, callId: string): Promise<string>;
  onTrouble(error: unknown): void;
}

export class ConsoleDesk implements OperatorDesk {
  readonly #options: OperatorDeskOptions;
  readonly #list: CallList;
  readonly #watchers: CallWatchers;
  readonly #sounds: Sounds;
  readonly #inspections: Inspections;

  constructor(options: OperatorDeskOptions) {
    this.#options = options;
    const { clock, figuresOf, soundOf, onTrouble, drawingOf } = options;
    const journal = (): Promise<Journal> => options.journal();
    this.#list = new CallList({ journal, clock, figuresOf, onTrouble });
    const isDrawn = (chart: number): boolean => drawingOf(chart) !== null;
    this.#watchers = new CallWatchers({ journal, clock, isDrawn, local: options.local });
    this.#sounds = new Sounds({ clock, figuresOf: soundOf });
    this.#inspections = new Inspections({ journal, inspectedCall: options.inspectedCall, onTrouble });
  }

  /** Calls that are followed for a page, or were until a moment ago. */
  get watchedCalls(): number {
    return this.#watchers.size;
  }

  listCalls(query: CallQuery): Promise<CallPage> {
    return this.#list.page(query);
  }

  watchCalls(listener: (calls: CallSummary[]) => void): Stop {
    return this.#list.watch(listener);
  }

  readCall(callId: string): Promise<CallView> {
    return this.#watchers.read(callId);
  }

  watchCall(callId: string, afterSeq: number, listener: Parameters<OperatorDesk['watchCall']>[2]): Stop {
    const stopPatches = this.#watchers.watch(callId, afterSeq, listener);
    const stopSound = this.#sounds.watch(callId, (sound) => listener.sound(sound));
    return () => {
      stopPatches();
      stopSound();
    };
  }

  chart(number: number): ChartDrawing | null {
    return this.#options.drawingOf(number);
  }

  async instances(): Promise<InstanceView[]> {
    const journal = await this.#options.journal();
    return (await journal.instances()).map(({ instance, host, pid, ready, startedAt, beatAgeMs }) => ({
      instance,
      host,
      pid,
      ready,
      startedAt,
      beatAgeMs,
      here: instance === this.#options.instance,
    }));
  }

  async instanceLog(query: {
    instance?: string;
    before?: number;
    limit?: number;
  }): Promise<InstanceFactView[]> {
    return (await this.#options.journal()).readInstanceLog(query);
  }

  command(callId: string, command: OperatorCommand, operator: Operator): Promise<void> {
    return this.#options.commands.perform(callId, command, operator);
  }

  async exportCall(callId: string): Promise<string> {
    return this.#options.exportCall(await this.#options.journal(), callId);
  }

  inspect(callId: string, listener: (message: string) => Promise<void>): Promise<Stop> {
    return this.#inspections.begin(callId, listener);
  }

  callFromBrowser(operator: Operator): Promise<BrowserInstruction> {
    return this.#options.browser.begin(operator);
  }

  continueFromBrowser(callId: string): Promise<BrowserInstruction> {
    return this.#options.browser.continue(callId);
  }

  leaveFromBrowser(callId: string): Promise<void> {
    return this.#options.browser.leave(callId);
  }

  stop(): void {
    this.#list.stop();
    this.#watchers.stop();
    this.#sounds.stop();
    this.#inspections.stop();
  }
}
