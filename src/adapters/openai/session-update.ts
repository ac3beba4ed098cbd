/**
 * Owns: the settings of a session: the messages that ask for them, and whether the far side has them.
 * Does not own: when they are sent (`opening.ts`).
 *
 * Source: OpenAI Realtime, client events, `session.update`. `session.type` must be in each of them, one bad field
 * rejects the whole message, and only the fields present change.
 */
import type { RealtimeClientEvent } from 'openai/resources/realtime/realtime';
import type { ModelRequest, ToolDeclaration, TurnDetection } from '../../runtime/ports/model.ts';
import type { EffectiveSettings } from './server-events.ts';

type SessionUpdate = Extract<RealtimeClientEvent, { type: 'session.update' }>;
type RealtimeSession = Extract<SessionUpdate['session'], { type: 'realtime' }>;
type WireTurnDetection = NonNullable<NonNullable<RealtimeSession['audio']>['input']>['turn_detection'];

/** G.711 mu-law at 8 kHz: what the phone speaks. It has no `rate` field. */
const phoneFormat = { type: 'audio/pcmu' } as const;

/** `answering`: the far side creates and interrupts replies by itself when the caller speaks. */
function wireTurnDetection(detection: TurnDetection, answering: boolean): WireTurnDetection {
  const switches = { create_response: answering, interrupt_response: answering };
  if (detection.type === 'semantic_vad') {
    return { type: 'semantic_vad', eagerness: detection.eagerness, ...switches };
  }
  return {
    type: 'server_vad',
    threshold: detection.threshold,
    prefix_padding_ms: detection.prefixPaddingMs,
    silence_duration_ms: detection.silenceMs,
    idle_timeout_ms: null,
    ...switches,
  };
}

const wireTool = ({ name, description, parameters }: ToolDeclaration) =>
  ({ type: 'function', name, description, parameters }) as const;

/** All settings, each of them explicit: the defaults differ between models. */
export function settingsUpdate(request: ModelRequest, answering: boolean): SessionUpdate {
  const { model, language } = request.transcription;
  return {
    type: 'session.update',
    session: {
      type: 'realtime',
      output_modalities: ['audio'],
      instructions: request.instructions,
      audio: {
        input: {
          format: phoneFormat,
          transcription: language === null ? { model } : { model, language },
          turn_detection: wireTurnDetection(request.turnDetection, answering),
        },
        output: { format: phoneFormat, voice: request.voice },
      },
      tools: request.tools.map(wireTool),
      tool_choice: 'auto',
    },
  };
}

/** Turns answering on. Without the voice, which a session that has spoken refuses together with all the rest. */
export function answeringUpdate(request: ModelRequest): SessionUpdate {
  const turn_detection = wireTurnDetection(request.turnDetection, true);
  return { type: 'session.update', session: { type: 'realtime', audio: { input: { turn_detection } } } };
}

/** The last word of the turn detection on how long it waited: semantic detection gives no figure. */
export const silenceOf = (detection: TurnDetection): number =>
  detection.type === 'server_vad' ? detection.silenceMs : 0;

/** The first setting of an answering session that is not as asked, or null. */
export function settingsFault(request: ModelRequest, effective: EffectiveSettings): string | null {
  const input = effective.audio?.input;
  const output = effective.audio?.output;
  const detection = input?.turn_detection;
  const asked = request.turnDetection;
  const toolNames = (effective.tools ?? []).map(({ name }) => name);
  const agreements: [string, boolean][] = [
    ['output_modalities', effective.output_modalities?.includes('audio') === true],
    ['audio.input.format', input?.format?.type === phoneFormat.type],
    ['audio.output.format', output?.format?.type === phoneFormat.type],
    ['audio.output.voice', nameOfVoice(output?.voice) === request.voice],
    ['turn_detection.type', detection?.type === asked.type],
    [
      'turn_detection.silence_duration_ms',
      asked.type === 'semantic_vad' || detection?.silence_duration_ms === asked.silenceMs,
    ],
    ['turn_detection.create_response', detection?.create_response === true],
    ['turn_detection.interrupt_response', detection?.interrupt_response === true],
    ['tools', request.tools.every(({ name }) => toolNames.includes(name))],
  ];
  return agreements.find(([, agrees]) => !agrees)?.[0] ?? null;
}

/** A stored voice is echoed as an object with its id. */
const nameOfVoice = (voice: unknown): unknown =>
  typeof voice === 'object' && voice !== null && 'id' in voice ? voice.id : voice;
