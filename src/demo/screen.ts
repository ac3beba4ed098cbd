/**
 * Owns: how a call looks in a terminal while it happens: who speaks, what the chart does, and how long it takes.
 * Does not own: the call; it reads observed steps, as telemetry does.
 */
import { styleText } from 'node:util';
import { formatDuration } from '../cli/time.ts';
import type { Entry } from '../machines/entries.ts';
import type { ObservedStep } from '../runtime/call.ts';
import { heardText } from '../runtime/heard-text.ts';
import type { Payload } from '../runtime/ports/journal.ts';
import { nameOf } from '../service/words/states.ts';
import { MeasureBook, type Measures } from './measures.ts';

type Style = Parameters<typeof styleText>[0];

const styles: Record<string, Style> = {
  call: 'bold',
  chart: 'dim',
  caller: 'cyan',
  agent: 'green',
  cut: 'yellow',
  tool: 'magenta',
};

/** A state value as `region state` pairs, so that two can be compared. */
function regionsOf(value: unknown): Map<string, string> {
  if (typeof value === 'string') return new Map([['call', value]]);
  const regions = new Map<string, string>();
  for (const [name, inner] of Object.entries(value as object)) {
    if (typeof inner === 'string') regions.set(name, inner);
    else {
      regions.set('call', name);
      for (const [region, state] of Object.entries(inner as object)) regions.set(region, nameOf(state));
      // A short silence is nothing to tell.
      if (regions.get('silence') !== 'holding') regions.delete('silence');
    }
  }
  return regions;
}

/** `turn listening → callerSpeaking`, for each region that moved. */
function changes(before: unknown, after: unknown): string[] {
  const was = before === undefined ? new Map<string, string>() : regionsOf(before);
  return [...regionsOf(after)].flatMap(([region, state]) => {
    const earlier = was.get(region);
    if (earlier === state) return [];
    return [earlier === undefined ? `${region} ${state}` : `${region} ${earlier} → ${state}`];
  });
}

const quote = (text: string): string => `“${text.trim()}”`;

export class Screen {
  readonly #write: (line: string) => void;
  readonly #measures = new MeasureBook();
  readonly #texts = new Map<string, string>();
  /** Items whose words are still growing. */
  readonly #untold = new Set<string>();
  #startedAt: number | null = null;

  constructor(write: (line: string) => void) {
    this.#write = write;
  }

  get measures(): Measures {
    return this.#measures.measures;
  }

  observe({ entry, payloads, before, after }: ObservedStep): void {
    this.#startedAt ??= entry.at;
    const answered = this.measures.responseMs.length;
    this.#measures.note(entry);
    this.#tell(entry, payloads);
    if (this.measures.responseMs.length > answered) this.#tellResponse(entry.at);
    const moved = changes(before?.snapshot.value, after.snapshot.value);
    if (moved.length > 0) this.#line(entry.at, 'chart', moved.join(', '));
  }

  #tell(entry: Entry, payloads: readonly Payload[]): void {
    const content = (name: string): string =>
      payloads.find((payload) => payload.name === name)?.content ?? '';
    const { at } = entry;
    if (entry.type === 'caller.transcribed') this.#line(at, 'caller', quote(content('transcript')));
    else if (entry.type === 'reply.transcribed') this.#keep(entry.itemId, content('transcript'));
    else if (entry.type === 'reply.finished') this.#tellReplies(at);
    else if (entry.type === 'reply.interrupted') this.#tellCut(entry);
    else if (entry.type === 'tool.requested')
      this.#line(at, 'tool', `${entry.name}(${content('arguments')})`);
    else if (entry.type === 'tool.finished')
      this.#line(at, 'tool', `→ ${entry.outcome}: ${content('result')}`);
    else if (entry.type === 'call.ended') this.#line(at, 'call', `ended: ${entry.reason}`);
  }

  #keep(itemId: string, text: string): void {
    this.#texts.set(itemId, text);
    this.#untold.add(itemId);
  }

  #tellReplies(at: number): void {
    for (const itemId of this.#untold) this.#line(at, 'agent', quote(this.#texts.get(itemId) ?? ''));
    this.#untold.clear();
  }

  #tellResponse(at: number): void {
    const { responseMs } = this.measures;
    const took = formatMilliseconds(responseMs.at(-1) ?? 0);
    this.#line(at, 'agent', `speaks, ${took} after the caller's last word`);
  }

  #tellCut({ at, items }: Extract<Entry, { type: 'reply.interrupted' }>): void {
    for (const { itemId, playedMs, receivedMs } of items) {
      const text = this.#texts.get(itemId);
      const heard = text && receivedMs > 0 ? ` ${quote(`${heardText(text, playedMs / receivedMs)} …`)}` : '';
      const share = `${formatDuration(playedMs)} of ${formatDuration(receivedMs)}`;
      this.#line(at, 'cut', `the caller interrupts; heard ${share}:${heard}`);
    }
  }

  #line(at: number, who: string, text: string): void {
    const seconds = ((at - (this.#startedAt ?? at)) / 1_000).toFixed(2).padStart(7);
    const label = who.padEnd(7);
    const style = styles[who];
    this.#write(style ? styleText(style, `${seconds}  ${label} ${text}`) : `${seconds}  ${label} ${text}`);
  }
}

export const formatMilliseconds = (durationMs: number): string => `${(durationMs / 1_000).toFixed(2)} s`;

/** The closing lines of a call. */
export function formatSummary(measures: Measures): string[] {
  const { turns, interruptions, toolCalls, responseMs, greetingMs, durationMs, endReason } = measures;
  const sorted = [...responseMs].sort((one, other) => one - other);
  const median = sorted[Math.floor((sorted.length - 1) / 2)];
  const line = (name: string, value: string): string => `  ${name.padEnd(34)}${value}`;
  return [
    line('turns of the caller, answered', String(turns)),
    line('interruptions', String(interruptions)),
    line('tool calls', String(toolCalls)),
    line('stream open to greeting', greetingMs === null ? '–' : formatMilliseconds(greetingMs)),
    line(
      'last word to first sound',
      median === undefined
        ? '–'
        : `${formatMilliseconds(median)} median, ${formatMilliseconds(sorted.at(-1) ?? 0)} longest`,
    ),
    line('length', formatDuration(durationMs)),
    line('ended', endReason ?? 'not yet'),
  ];
}
