/**
 * Owns: the configuration of a session: what the service shows at its start, and how an update changes it.
 * Does not own: acting on it.
 *
 * Invariants:
 * G1. An update is applied whole or not at all.
 * G2. Only the fields that an update names change; those of nested objects too.
 * G3. The voice is fixed once the model has spoken; the model is fixed from the start.
 *
 * Source: OpenAI Realtime, client events, `session.update`; defaults as recorded from the live service.
 */
import type { AudioFormat } from '../audio/audio-format.ts';
import {
  errorOfIssues,
  invalidValue,
  type ProtocolError,
  transcriptionUpdate,
  voiceLocked,
} from '../protocol/protocol-errors.ts';
import {
  type Modalities,
  type Prompt,
  type Reasoning,
  type ToolChoice,
  type Tools,
  type Tracing,
  type Transcription,
  type Truncation,
  type TurnDetection,
  type Update,
  updateSchema,
  type Voice,
} from '../protocol/session-schema.ts';

/** The session object as the service shows it in `session.created` and `session.updated`. */
export interface SessionSettings {
  type: 'realtime';
  object: 'realtime.session';
  id: string;
  model: string;
  output_modalities: Modalities;
  instructions: string;
  tools: Tools;
  tool_choice: ToolChoice;
  max_output_tokens: number | 'inf';
  parallel_tool_calls?: boolean;
  reasoning?: Reasoning;
  tracing: Tracing | null;
  truncation: Truncation;
  prompt: Prompt | null;
  /** Seconds since the Unix epoch. */
  expires_at: number;
  audio: {
    input: {
      format: AudioFormat;
      transcription: Transcription | null;
      noise_reduction: { type: 'near_field' | 'far_field'; strength?: number } | null;
      turn_detection: TurnDetection | null;
    };
    output: { format: AudioFormat; voice: Voice; speed: number };
  };
  include: string[] | null;
}

const defaultInstructions = 'You are the offline model of a twin: friendly, brief, and always on script.';

/** Models of the second generation reason, and mark what they say before a tool call as commentary. */
export const isReasoningModel = (model: string): boolean => model.startsWith('gpt-realtime-2');

const defaultServerVad = (model: string): TurnDetection => ({
  type: 'server_vad',
  threshold: 0.5,
  prefix_padding_ms: 300,
  silence_duration_ms: isReasoningModel(model) ? 500 : 200,
  idle_timeout_ms: null,
  create_response: true,
  interrupt_response: true,
});

const defaultSemanticVad: TurnDetection = {
  type: 'semantic_vad',
  eagerness: 'auto',
  create_response: true,
  interrupt_response: true,
};

/** The settings of a new session. `expiresAt` in seconds since the Unix epoch. */
export function initialSettings(id: string, model: string, expiresAt: number): SessionSettings {
  return {
    type: 'realtime',
    object: 'realtime.session',
    id,
    model,
    output_modalities: ['audio'],
    instructions: defaultInstructions,
    tools: [],
    tool_choice: 'auto',
    max_output_tokens: 'inf',
    tracing: null,
    truncation: 'auto',
    prompt: null,
    expires_at: expiresAt,
    audio: {
      input: {
        format: { type: 'audio/pcm', rate: 24_000 },
        transcription: null,
        noise_reduction: null,
        turn_detection: defaultServerVad(model),
      },
      output: {
        format: { type: 'audio/pcm', rate: 24_000 },
        voice: isReasoningModel(model) ? 'marin' : 'alloy',
        speed: 1,
      },
    },
    include: null,
  };
}

export type UpdateResult = { settings: SessionSettings } | { error: ProtocolError };

/** The settings after an update, or why the update is refused. `voiceIsLocked`: the model has spoken. */
export function updateSettings(
  settings: SessionSettings,
  session: unknown,
  voiceIsLocked: boolean,
): UpdateResult {
  if (isTranscriptionUpdate(session)) return { error: transcriptionUpdate() };
  const parsed = updateSchema.safeParse(session);
  if (!parsed.success) return { error: errorOfIssues(parsed.error.issues, session, 'session') };
  const update = parsed.data;
  if (update.model !== undefined && update.model !== settings.model) {
    return { error: invalidValue('session.model', 'the model of a session cannot be changed') };
  }
  const voice = update.audio?.output?.voice;
  if (voiceIsLocked && voice !== undefined) return { error: voiceLocked() };
  return { settings: merge(settings, update) };
}

const isTranscriptionUpdate = (session: unknown): boolean =>
  typeof session === 'object' && session !== null && 'type' in session && session.type === 'transcription';

function merge(settings: SessionSettings, { audio, instructions, ...fields }: Update): SessionSettings {
  return {
    ...settings,
    ...fields,
    // The live service answers an empty text with the default one.
    instructions: instructions === '' ? defaultInstructions : (instructions ?? settings.instructions),
    audio: {
      input: mergeInput(settings, audio?.input ?? {}),
      output: { ...settings.audio.output, ...audio?.output },
    },
  };
}

type InputUpdate = NonNullable<NonNullable<Update['audio']>['input']>;

function mergeInput(settings: SessionSettings, update: InputUpdate): SessionSettings['audio']['input'] {
  const current = settings.audio.input;
  return {
    format: update.format ?? current.format,
    transcription: update.transcription === undefined ? current.transcription : update.transcription,
    noise_reduction: mergeObject(current.noise_reduction, update.noise_reduction),
    turn_detection: mergeTurnDetection(settings, update.turn_detection),
  };
}

/** Undefined keeps what there is, null removes it, an object changes the fields that it names. */
function mergeObject<Value extends object>(
  current: Value | null,
  update: Value | null | undefined,
): Value | null {
  if (update === undefined) return current;
  return update === null ? null : { ...current, ...update };
}

function mergeTurnDetection(
  settings: SessionSettings,
  update: InputUpdate['turn_detection'],
): TurnDetection | null {
  const current = settings.audio.input.turn_detection;
  if (!update) return mergeObject(current, update);
  const fallback = update.type === 'server_vad' ? defaultServerVad(settings.model) : defaultSemanticVad;
  return { ...(current?.type === update.type ? current : fallback), ...update } as TurnDetection;
}
