/**
 * Owns: the conversation of a simulated call: an agent with one tool of each effect, the model's script, and a caller
 * whose words are numbered in their sound. A call without faults takes about a minute and has four turns.
 * Does not own: what goes wrong in it.
 *
 * Every segment of the agent's is longer than what may be said twice after a death, and every reply's text is its own:
 * the offline model finds its place in a history by it.
 */
import { z } from 'zod';
import { defineAgent, defineTool, type Found } from '../../src/agent/definition.ts';
import { checkAgent, type LoadedAgent } from '../../src/agent/loaded-agent.ts';
import { AgentOrigin } from '../../src/agent/origin.ts';
import type { Clock } from '../../src/runtime/ports/clock.ts';
import type { CallerEvent } from '../../src/twin/caller/party.ts';
import type { Brain } from '../../src/twin/openai/brain.ts';
import { type NumberedReply, numberScript, type Script } from '../../src/twin/openai/script.ts';
import { scriptedBrain } from '../../src/twin/openai/scripted-brain.ts';
import { renderSegment } from '../../src/twin/openai/segments.ts';
import { SimulatedCaller } from './simulated-caller.ts';

const said = (text: string, lengthMs: number) => ({ text, lengthMs });

/** What an agent is told who missed what the caller said. */
const asksAgainWords = 'ask the caller to say it again';

const script: Script = {
  greeting: { say: [said('Harbour ferries, good day.', 2_000)] },
  turns: [
    {
      caller: 'When does the next ferry leave?',
      reply: {
        say: [said('Let me look that up.', 1_600)],
        calls: [{ name: 'find_departure', arguments: { route: 'north' } }],
        afterResult: {
          say: [
            said('The next ferry leaves at noon ', 2_200),
            said('from the north pier. ', 1_800),
            said('Please be there ten minutes early, ', 2_400),
            said('because it is often full.', 1_800),
          ],
        },
      },
    },
    {
      caller: 'Wait. Please book two seats for me.',
      reply: {
        say: [],
        calls: [{ name: 'book_seats', arguments: { seats: 2 } }],
        afterResult: { say: [said('Two seats are yours. ', 1_900), said('Anything else?', 1_600)] },
      },
    },
    {
      caller: 'Send me the ticket, and that was all.',
      reply: {
        say: [],
        calls: [{ name: 'send_ticket', arguments: { to: 'caller' } }],
        afterResult: {
          say: [said('It has been sent to your phone. Have a good trip. Goodbye!', 3_200)],
          calls: [{ name: 'hang_up', arguments: {} }],
        },
      },
    },
  ],
  instructed: [
    { includes: asksAgainWords, reply: { say: [said('I missed that. Could you say it again?', 1_800)] } },
    { includes: 'still working on it', reply: { say: [said('I am still at it.', 1_500)] } },
    { includes: 'Say goodbye', reply: { say: [said('Goodbye for now!', 1_500)] } },
  ],
};

/** The same, but for the last turn, in which the caller asks for somebody. */
const transferScript: Script = {
  ...script,
  turns: [
    ...(script.turns ?? []).slice(0, -1),
    {
      caller: 'Please put me through to the harbour office.',
      reply: {
        say: [said('I am putting you through.', 1_600)],
        calls: [{ name: 'transfer_call', arguments: { destination: 'harbour office' } }],
        afterResult: {
          say: [said('There is nobody in the office now. Call again tomorrow. Goodbye!', 3_200)],
          calls: [{ name: 'hang_up', arguments: {} }],
        },
      },
    },
  ],
};

/** What is said in the calls of a story. */
export interface Scene {
  brain: Brain;
  replies: readonly NumberedReply[];
}

const sceneWith = (told: Script): Scene => ({
  brain: scriptedBrain(told),
  replies: numberScript(told).replies,
});

/** The replies of both have the same numbers. */
export const scenes = { ticket: sceneWith(script), transfer: sceneWith(transferScript) } as const;

const { replies, instructed } = numberScript(script);

const asksAgain = instructed.find(({ includes }) => includes === asksAgainWords)?.reply.reply ?? 0;

/** Replies that belong to no place in the conversation may be heard any number of times. */
export const repeatableReplies: ReadonlySet<number> = new Set(
  replies.filter(({ turn }) => turn === null).map(({ reply }) => reply),
);

/** The agent's replies have lower numbers in their sound than the callers' lines. */
const firstLine = 1_024;
/** Lines of a call, and how often each may be said again. */
const linesPerCall = 8;
const timesPerLine = 6;
const numbersPerCall = linesPerCall * timesPerLine;
/** Calls of one world whose callers are told apart in their sound. */
export const mostCalls = 64;

/** Which call a line is said in, and which of all that are said in it. */
export const lineOf = (reply: number): { call: number; line: number } => ({
  call: Math.floor((reply - firstLine) / numbersPerCall),
  line: (reply - firstLine) % numbersPerCall,
});

/** Made once for each: a clip is cut once for each list of bytes. */
const sounds = new Map<string, Uint8Array>();

/** Lines that are said again are told apart by their sound, and count as later ones. */
function soundOf(call: number, line: number, time: number, lengthMs: number): Uint8Array {
  const key = `${call}/${line}/${time}`;
  const known = sounds.get(key);
  if (known) return known;
  const reply = firstLine + call * numbersPerCall + line * timesPerLine + Math.min(time, timesPerLine - 1);
  const sound = renderSegment({ reply, segment: 0, lengthMs }, { type: 'audio/pcmu' });
  sounds.set(key, sound);
  return sound;
}

/** How long a caller puts up with an agent who says nothing. */
const patienceMs = 45_000;

/** Asks, interrupts the answer, books, thinks for a while, and asks for the ticket with a goodbye. */
export function sceneCaller(call: number, listener: (event: CallerEvent) => void): SimulatedCaller {
  const line = (index: number, thinksMs: number, lengthMs: number, interruptsAfterMs: number | null) => ({
    thinksMs,
    interruptsAfterMs,
    sound: (time: number) => soundOf(call, index, time, lengthMs),
  });
  const lines = [line(0, 8_000, 1_800, null), line(1, 0, 2_200, 8_000), line(2, 29_000, 1_600, null)];
  return new SimulatedCaller({ lines, quietMs: 700, patienceMs, staysMs: 25_000, asksAgain }, listener);
}

/** Something that a tool did to the world outside. */
export interface Effect {
  tool: string;
  key: string;
  callId: string;
  at: number;
}

/** The world outside: what tools have done, by key, as a database of the author's would keep it. */
export class Outside {
  readonly effects: Effect[] = [];
  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  has(key: string): boolean {
    return this.effects.some((effect) => effect.key === key);
  }

  /** The effect is there at once, and stays whatever becomes of who asked for it; the answer takes `takesMs`. */
  async act(tool: string, key: string, callId: string, takesMs: number): Promise<void> {
    this.effects.push({ tool, key, callId, at: this.#clock.monotonic() });
    await this.#wait(takesMs);
  }

  async look(takesMs: number): Promise<void> {
    await this.#wait(takesMs);
  }

  #wait(delayMs: number): Promise<void> {
    return new Promise((resolve) => this.#clock.setTimeout(resolve, delayMs));
  }
}

const origin = new AgentOrigin('scene', 'scene', '');

/** The world in which the calls of the moment take place: one agent, checked once, serves all worlds. */
let outside: Outside | null = null;

const around = (): Outside => {
  if (outside === null) throw new Error('no world is open');
  return outside;
};

/** Tools that the agent runs act on this world from now on. */
export function enter(next: Outside): void {
  outside = next;
}

const findDeparture = defineTool({
  name: 'find_departure',
  description: 'Finds the next departure on a route.',
  parameters: z.object({ route: z.string() }),
  effect: 'none',
  timeoutMs: 8_000,
  run: async () => {
    await around().look(1_200);
    return 'noon, north pier';
  },
});

const bookSeats = defineTool({
  name: 'book_seats',
  description: 'Books seats on the next ferry.',
  parameters: z.object({ seats: z.int() }),
  effect: 'once',
  timeoutMs: 8_000,
  run: async (_, { key, call }) => {
    await around().act('book_seats', key, call.callId, 1_500);
    return 'booked';
  },
  find: async (key): Promise<Found> =>
    around().has(key) ? { found: true, result: 'booked' } : { found: false },
});

const sendTicket = defineTool({
  name: 'send_ticket',
  description: 'Sends the ticket.',
  parameters: z.object({ to: z.string() }),
  effect: 'idempotent',
  timeoutMs: 8_000,
  run: async (_, { key, call }) => {
    await around().act('send_ticket', key, call.callId, 600);
    return 'sent';
  },
});

export const sceneAgent: LoadedAgent = checkAgent(
  defineAgent({
    name: 'scene',
    instructions: 'You answer the phone of the harbour ferries.',
    greeting: 'Harbour ferries, good day. What can I do for you?',
    turnDetection: { type: 'server_vad', threshold: 0.5, prefixPaddingMs: 300, silenceMs: 500 },
    tools: [findDeparture, bookSeats, sendTicket],
    transfers: [{ name: 'harbour office', description: 'Everything but tickets.', to: '+15550142' }],
  }),
  origin,
);
