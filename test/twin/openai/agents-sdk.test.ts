/** An independent client: the WebSocket transport of OpenAI's own Agents SDK holds a call with the twin. */
import { OpenAIRealtimeWebSocket, RealtimeAgent, RealtimeSession, tool } from '@openai/agents-realtime';
import { afterEach, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { scriptedBrain } from '../../../src/twin/openai/scripted-brain.ts';
import { readSegments } from '../../../src/twin/openai/segments.ts';
import { type OpenAiTwin, startOpenAiTwin } from '../../../src/twin/openai/server.ts';
import type { RealtimeMessage } from '../../support/realtime-message.ts';
import { silence, voice } from './client.ts';

const brain = scriptedBrain({
  turns: [
    {
      caller: 'What is the weather in London?',
      reply: {
        say: [{ text: 'One moment. ', lengthMs: 600 }],
        calls: [{ name: 'get_weather', arguments: { city: 'London' } }],
        afterResult: { say: [{ text: 'It is foggy in London.', lengthMs: 1_000 }] },
      },
    },
    {
      caller: 'Tell me a story.',
      reply: {
        say: Array.from({ length: 10 }, (_, part) => ({ text: `Part ${part} of it. `, lengthMs: 2_000 })),
      },
    },
    { caller: 'Stop, please.', reply: { say: [{ text: 'Of course.', lengthMs: 400 }] } },
  ],
});

let twin: OpenAiTwin | null = null;
let session: RealtimeSession | null = null;

afterEach(async () => {
  session?.close();
  await twin?.close();
});

interface Call {
  session: RealtimeSession;
  events: RealtimeMessage[];
  heard: Uint8Array[];
  cities: string[];
  errors: unknown[];
}

async function dial(): Promise<Call> {
  twin = await startOpenAiTwin({ brain, pace: { firstOutputDelayMs: 50 } });
  const call: Omit<Call, 'session'> = { events: [], heard: [], cities: [], errors: [] };
  const getWeather = tool({
    name: 'get_weather',
    description: 'Looks up the weather of a city.',
    parameters: z.object({ city: z.string() }),
    execute: async ({ city }) => {
      call.cities.push(city);
      return 'foggy';
    },
  });
  const agent = new RealtimeAgent({ name: 'agent', instructions: 'Be brief.', tools: [getWeather] });
  const transport = new OpenAIRealtimeWebSocket({ url: `${twin.url}?model=gpt-realtime-2.1` });
  session = new RealtimeSession(agent, {
    transport,
    model: 'gpt-realtime-2.1',
    tracingDisabled: true,
    config: {
      audio: {
        input: {
          format: { type: 'audio/pcmu' },
          transcription: { model: 'gpt-realtime-whisper' },
          turnDetection: { type: 'server_vad', silenceDurationMs: 200 },
        },
        output: { format: { type: 'audio/pcmu' } },
      },
    },
  });
  session.on('transport_event', (event) => call.events.push(event as RealtimeMessage));
  session.on('audio', ({ data }) => call.heard.push(new Uint8Array(data)));
  session.on('error', ({ error }) => call.errors.push(error));
  await session.connect({ apiKey: 'k' });
  await until(() => call.events.some(({ type }) => type === 'session.updated'));
  return { session, ...call };
}

/** Waits for a condition, as long as the test may take. */
async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 5));
}

const speak = (call: Call): void => {
  for (const audio of [silence(320), voice(640), silence(320)]) {
    call.session.sendAudio(Uint8Array.from(audio).buffer);
  }
};

const doneResponses = (call: Call): RealtimeMessage[] =>
  call.events.filter(({ type }) => type === 'response.done');

describe('the Agents SDK', () => {
  test('holds a spoken turn with a tool call, and an interruption', async () => {
    const call = await dial();

    speak(call);
    await until(() => doneResponses(call).length === 2);
    expect(call.cities).toEqual(['London']);
    expect(twin?.sessions[0]?.items.map(({ type }) => type)).toEqual([
      'message',
      'message',
      'function_call',
      'function_call_output',
      'message',
    ]);

    speak(call);
    await until(() => call.events.filter(({ type }) => type === 'response.output_audio.delta').length > 12);
    speak(call);
    await until(() => doneResponses(call).length === 4);
    await until(() => call.events.some(({ type }) => type === 'conversation.item.retrieved'));

    expect(
      doneResponses(call).map(({ response }) => [response.status, response.status_details?.reason]),
    ).toEqual([
      ['completed', undefined],
      ['completed', undefined],
      ['cancelled', 'turn_detected'],
      ['completed', undefined],
    ]);
    expect(call.events.some(({ type }) => type === 'conversation.item.truncated')).toBe(true);
    const heard = readSegments(Buffer.concat(call.heard));
    expect(heard.slice(0, 2).map(({ reply, frames }) => [reply, frames.length])).toEqual([
      [0, 30],
      [1, 50],
    ]);
    expect(heard.at(-1)).toMatchObject({ reply: 3, frames: Array.from({ length: 20 }, (_, frame) => frame) });
    expect(call.errors).toEqual([]);
    expect(call.events.filter(({ type }) => type === 'error')).toEqual([]);
  });

  test('knows what was said from the transcripts', async () => {
    const call = await dial();
    speak(call);
    await until(() => doneResponses(call).length === 2);
    await until(() => JSON.stringify(call.session.history).includes('What is the weather in London?'));
    expect(JSON.stringify(call.session.history)).toContain('It is foggy in London.');
  });
});
