/**
 * Owns: what tests look into of messages of the Realtime protocol, by the names on the wire.
 * Does not own: what a message must look like (`test/twin/openai/shapes.ts`).
 *
 * Every message has every field here: whether it is there is what a test finds out.
 */
import type { Usage } from '../../src/twin/openai/session/usage.ts';

export interface RealtimeMessage {
  readonly type: string;
  readonly event_id: string;
  readonly session: RealtimeSession;
  readonly item: RealtimeItem;
  readonly response: RealtimeResponse;
  readonly error: RealtimeError;
  readonly rate_limits: readonly [RateLimit, ...RateLimit[]];
  readonly response_id: string;
  readonly item_id: string;
  readonly previous_item_id: string | null;
  readonly call_id: string;
  readonly name: string;
  readonly arguments: string;
  readonly transcript: string;
  readonly text: string;
  readonly delta: string;
  readonly obfuscation: string;
  /** Base64. */
  readonly audio: string;
  readonly audio_start_ms: number;
  readonly audio_end_ms: number;
}

export interface RealtimeError {
  readonly type: string;
  readonly code: string;
  readonly message: string;
  readonly param: string;
  readonly event_id: string;
}

export interface RateLimit {
  readonly limit: number;
  readonly remaining: number;
}

export interface RealtimeContent {
  readonly type: string;
  readonly text: string;
  readonly transcript: string;
  /** Base64. */
  readonly audio: string;
}

export interface RealtimeItem {
  readonly id: string;
  readonly type: string;
  readonly status: string;
  readonly role: string;
  readonly phase: string;
  readonly content: readonly [RealtimeContent, ...RealtimeContent[]];
  readonly call_id: string;
  readonly name: string;
  readonly arguments: string;
  readonly output: string;
}

export interface RealtimeResponse {
  readonly id: string;
  readonly conversation_id: string | null;
  readonly status: string;
  readonly status_details: { readonly type: string; readonly reason: string; readonly error: RealtimeError };
  readonly instructions: string;
  readonly tool_choice: string;
  readonly output: readonly [RealtimeItem, ...RealtimeItem[]];
  readonly output_modalities: readonly string[];
  readonly max_output_tokens: number | 'inf';
  readonly audio: { readonly output: RealtimeVoice };
  readonly usage: Usage;
}

/** Tests spoil the settings, too. */
export interface RealtimeSession {
  id: string;
  expires_at: number;
  model: string;
  instructions: string;
  output_modalities?: string[];
  tools: unknown[];
  audio: { input: RealtimeHearing; output: RealtimeVoice };
}

export interface RealtimeVoice {
  format: { type: string; rate?: number };
  voice: string | { id: string };
}

export interface RealtimeHearing {
  format: { type: string; rate?: number };
  transcription: unknown;
  noise_reduction: unknown;
  turn_detection: RealtimeTurnDetection | null;
}

export interface RealtimeTurnDetection {
  type: string;
  silence_duration_ms: number;
  create_response: boolean;
  interrupt_response: boolean;
}
