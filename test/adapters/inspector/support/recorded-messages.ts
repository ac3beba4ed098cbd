/** Owns: what the inspector is told of the calls that older versions wrote down. */
import { InspectedCall } from '../../../../src/adapters/inspector/inspected-call.ts';
import { parseEntry } from '../../../../src/runtime/history.ts';
import { type CallState, eventOf, step } from '../../../../src/runtime/step.ts';
import { type Recording, recordedVersions, recordingsOf } from '../../../journals/recording.ts';

export interface Message {
  type: '@xstate.actor' | '@xstate.event' | '@xstate.snapshot';
  name?: string;
  sessionId: string;
  rootId: string;
  id: string;
  createdAt: string;
  _version: string;
  definition?: string;
  event?: { type: string; at: number };
  snapshot?: { status: string; value: unknown; context: unknown };
}

export interface Told {
  recording: Recording;
  /** As they are sent. */
  texts: string[];
  messages: Message[];
  states: CallState[];
  events: { type: string }[];
}

export function tell(recording: Recording): Told {
  const inspected = new InspectedCall(recording.callId);
  const texts: string[] = [];
  const states: CallState[] = [];
  const events: { type: string }[] = [];
  for (const stored of recording.commits.flatMap(({ entries }) => entries)) {
    const entry = parseEntry(recording.callId, stored);
    const [state] = step(recording.callId, states.at(-1) ?? null, entry);
    texts.push(...inspected.take(entry, state));
    states.push(state);
    events.push(eventOf(entry));
  }
  return { recording, texts, messages: texts.map((text) => JSON.parse(text)), states, events };
}

export const recordedCalls = (): Recording[] => recordedVersions().flatMap(recordingsOf);
