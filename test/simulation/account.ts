/** Owns: what happened in a story, step by step, in words: for whoever has to find out why. */
import type { Entry } from '../../src/machines/entries.ts';
import type { CallEvent } from '../../src/twin/twilio/call/call-events.ts';
import type { Stage } from './stage.ts';

interface Line {
  at: number;
  words: string;
}

/** Told by others, or too often. */
const silentEvents: ReadonlySet<CallEvent['event']> = new Set(['verbStarted', 'streamOpening']);
const silentEntries: ReadonlySet<Entry['type']> = new Set(['reply.progressed']);

const longestDetail = 160;

/** One line for each thing that struck, that a process stepped and that Twilio or the caller did, in order. */
export function accountOf({ world, calls, strikes }: Stage): string[] {
  const startedAt = world.clock.now() - world.clock.monotonic();
  const lines: Line[] = strikes.map(({ at, words }) => ({ at, words: `!! ${words}` }));
  const callWords = (callId: string): string => {
    const index = calls.findIndex(({ sid }) => sid === callId);
    return calls.length === 1 ? '' : `call ${index}, `;
  };
  for (const step of world.steps) {
    const { entry, call, commands } = step;
    if (silentEntries.has(entry.type)) continue;
    const asked = commands.length === 0 ? '' : ` -> ${commands.map(({ type }) => type).join(', ')}`;
    const { process, at } = world.steppedBy.get(step) ?? { process: null, at: entry.at };
    const name = `${process?.instance} (${process?.options.pid})`;
    lines.push({ at, words: `${callWords(call.callId)}${name}: ${entryWords(entry)}${asked}` });
  }
  for (const call of calls) {
    for (const event of call.events) {
      if (!silentEvents.has(event.event))
        lines.push({ at: event.at, words: `${callWords(call.sid)}   ${eventWords(event)}` });
    }
    for (const { at, code, detail } of call.notices)
      lines.push({ at, words: `${callWords(call.sid)}   Twilio notes ${code} ${detail}` });
  }
  return lines
    .sort((one, other) => one.at - other.at)
    .map(({ at, words }) => `${((at - startedAt) / 1_000).toFixed(3).padStart(9)}  ${words}`);
}

function entryWords({ seq, type, at: _, ...fields }: Entry): string {
  return `${seq} ${type} ${detailOf(fields)}`;
}

function eventWords({ event, at: _, ...fields }: CallEvent): string {
  const isCaller = event.startsWith('caller') || event.startsWith('agent');
  return `${isCaller ? 'the line' : 'Twilio'}: ${event} ${detailOf(fields)}`;
}

function detailOf(fields: object): string {
  const text = JSON.stringify(fields);
  return text === '{}' ? '' : text.slice(0, longestDetail);
}
