/**
 * Owns: which calls have parts in this process, and how those parts come about: for a new call, and for one that is
 * claimed from its log.
 * Does not own: the calls' actors (`src/runtime/registry.ts`), what the parts do (`live-call.ts`).
 *
 * Invariants:
 * I4. A call that is over, lost or released has no parts here.
 */
import type { Command } from '../machines/commands.ts';
import type { Entry } from '../machines/entries.ts';
import type { Call, ObservedStep } from '../runtime/call.ts';
import { Conversation, conversationOf } from '../runtime/conversation.ts';
import { readEntries } from '../runtime/history.ts';
import { FixCallError } from '../runtime/ports/errors.ts';
import type { Journal } from '../runtime/ports/journal.ts';
import type { Agents, CallFacts } from './agents.ts';
import type { CallAgent } from './call-agent.ts';
import type { CallWatch } from './call-watch.ts';
import { LiveCall, type LiveCallPorts } from './live-call.ts';
import { claimersOf, type ProcessToolRuns } from './tool-runs.ts';

export interface LiveCallsPorts extends Omit<LiveCallPorts, 'runs'> {
  watch: CallWatch;
  runs: ProcessToolRuns;
}

export class LiveCalls {
  readonly #agents: Agents;
  readonly #journal: Journal;
  readonly #ports: LiveCallsPorts;
  readonly #parts = new Map<string, LiveCall>();
  readonly #stepListeners = new Map<string, (step: ObservedStep) => void>();

  constructor(agents: Agents, journal: Journal, ports: LiveCallsPorts) {
    this.#agents = agents;
    this.#journal = journal;
    this.#ports = ports;
  }

  get size(): number {
    return this.#parts.size;
  }

  get(callId: string): LiveCall | undefined {
    return this.#parts.get(callId);
  }

  /** Parts for a call that begins. @throws what the agent definition throws */
  async create(callId: string, facts: CallFacts): Promise<CallAgent> {
    const agent = await this.#agents.resolve(callId, facts);
    return this.#add(callId, agent, new Conversation(), []).agent;
  }

  /** Parts for a call that this process is about to claim, or those it has. @throws FixCallError `call.unknown` */
  async prepare(callId: string): Promise<LiveCall> {
    const present = this.#parts.get(callId);
    if (present) return present;
    const [entries, payloads] = await Promise.all([
      readEntries(this.#journal, callId),
      this.#journal.readPayloads(callId),
    ]);
    const [created] = entries;
    if (created?.type !== 'call.created')
      throw new FixCallError('call.unknown', `there is no call ${callId}`);
    const agent = await this.#agents.resume(callId, created, payloads);
    return this.#add(callId, agent, conversationOf(entries, payloads), entries);
  }

  /** Every call that has parts here. */
  all(): Iterable<[callId: string, parts: LiveCall]> {
    return this.#parts;
  }

  observe(step: ObservedStep): void {
    const { callId } = step.call;
    this.#parts.get(callId)?.observe(step);
    this.#stepListeners.get(callId)?.(step);
  }

  /** Tells of each step of a call while it lives here: one listener a call. Returns the function that stops it. */
  watchSteps(callId: string, listener: (step: ObservedStep) => void): () => void {
    this.#stepListeners.set(callId, listener);
    return () => void this.#stepListeners.delete(callId);
  }

  perform(call: Call, command: Command, key: string): void {
    this.#parts.get(call.callId)?.perform(command, key);
  }

  /** Without the chart: it would have the journal asked first. */
  closeStream(call: Call): void {
    const { id } = call.state.snapshot.context.stream;
    if (id !== null) this.perform(call, { type: 'closeStream', params: { streamId: id } }, '');
  }

  release(callId: string): void {
    const parts = this.#parts.get(callId);
    this.#parts.delete(callId);
    if (!parts) return;
    this.#ports.watch.forget(callId, parts.bridge.quality());
    parts.dispose();
  }

  releaseAll(): void {
    for (const callId of [...this.#parts.keys()]) this.release(callId);
  }

  /** Whoever was quicker while this one waited wins: a call has one set of parts. */
  #add(callId: string, agent: CallAgent, conversation: Conversation, entries: readonly Entry[]): LiveCall {
    const present = this.#parts.get(callId);
    if (present) return present;
    const runs = this.#ports.runs.forCall(callId, claimersOf(entries));
    const parts = new LiveCall(agent, { ...this.#ports, runs }, conversation, entries.length);
    this.#parts.set(callId, parts);
    this.#ports.watch.follow(callId, entries);
    return parts;
  }
}
