/**
 * Owns: what the author of an agent writes: who answers the call, what it says first, and which tools it has.
 * Does not own: checking it (`definition-schema.ts`), running it (`tool-runner.ts`).
 */
import type { z } from 'zod';
import type { ToolEffect } from '../machines/entry-values.ts';

/** The call that an agent answers. Numbers are personal data: they are here and not in the log. */
export interface AgentCall {
  readonly callId: string;
  readonly direction: 'incoming' | 'outgoing';
  /** E.164, or what the carrier has for a hidden number; null where it was erased. */
  readonly from: string | null;
  readonly to: string | null;
  /** What whoever placed the call attached to it. */
  readonly parameters: Readonly<Record<string, string>>;
}

export interface ToolContext {
  /** The same for every attempt at one tool call: hand it on to whatever must not happen twice. */
  readonly key: string;
  /** Aborted when the time is up, or the call over or gone from this process; in the last case not where the effect is `once`. */
  readonly signal: AbortSignal;
  readonly call: AgentCall;
}

/** What became of an earlier attempt with the same key. */
export type Found = { found: true; result: unknown } | { found: false };

/** Something that the agent can do while it talks. */
export interface ToolDefinition<Parameters extends z.ZodObject = z.ZodObject> {
  /** Letters, digits, `_` and `-`, at most 64. `hang_up` and `transfer_call` are taken. */
  readonly name: string;
  /** Told to the model: when to use it, and what it does. */
  readonly description: string;
  readonly parameters: Parameters;
  /**
   * What a second run would do: `none` nothing (it only reads), `idempotent` nothing with the same key, `once` harm.
   * It decides what happens when the process dies while the tool runs.
   */
  readonly effect: ToolEffect;
  /** Milliseconds until the model is told that it took too long; 10,000 unless told. At most 10 minutes. */
  readonly timeoutMs?: number;
  /**
   * What it returns is told to the model: a string as it is, anything else as JSON, at most 32 kB. Of an error the
   * model learns only that there was one: return what it should know.
   */
  run(input: z.output<Parameters>, context: ToolContext): unknown;
  /** For `once`: tells whether the attempt with this key went through before its process died. */
  find?(key: string, context: ToolContext): Found | Promise<Found>;
}

/** Somebody to whom the agent may put a caller through. */
export interface TransferDefinition {
  /** Told to the model, which asks for the transfer by it; 1 to 64 characters. */
  readonly name: string;
  /** Told to the model: when to put a caller through. */
  readonly description: string;
  /** E.164. The model is not told it. */
  readonly to: string;
}

/** How the model decides that the caller's turn is over (OpenAI Realtime, turn detection). */
export type TurnDetectionDefinition =
  | {
      readonly type: 'server_vad';
      /** Loudness that counts as speech, 0 to 1; 0.5 unless told. */
      readonly threshold?: number;
      /** Audio kept from before the speech; 300 unless told. */
      readonly prefixPaddingMs?: number;
      /** Silence that ends a turn; 500 unless told. */
      readonly silenceMs?: number;
    }
  | {
      readonly type: 'semantic_vad';
      /** How soon to answer; `auto` unless told. */
      readonly eagerness?: 'low' | 'medium' | 'high' | 'auto';
    };

export interface TranscriptionDefinition {
  /** `gpt-realtime-whisper` unless told. */
  readonly model?: string;
  /** ISO 639-1, as `en`. Unless told, each turn's own language is guessed. */
  readonly language?: string | null;
}

/** A call that is over. */
export interface CallSummary {
  readonly call: AgentCall;
  /** Milliseconds since the Unix epoch. */
  readonly startedAt: number;
  readonly endedAt: number;
  /** Why it ended, as the log has it: `caller.hungUp`, `agent.hungUp` and the like. */
  readonly reason: string;
  /** What was said and heard, oldest first. */
  readonly turns: readonly { role: 'caller' | 'agent'; text: string }[];
}

export interface AgentDefinition {
  readonly name: string;
  readonly instructions: string;
  /** The first sentence that the caller hears. */
  readonly greeting: string;
  /** `marin` unless told (OpenAI Realtime, voices). */
  readonly voice?: string;
  readonly turnDetection?: TurnDetectionDefinition;
  readonly transcription?: TranscriptionDefinition;
  readonly tools?: readonly ToolDefinition[];
  /** At most 20. With one or more, the agent has the tool `transfer_call`. */
  readonly transfers?: readonly TransferDefinition[];
  /** Called at least once for each call, possibly by another process: `key` tells a repetition. */
  onCallEnded?(summary: CallSummary, context: { key: string }): unknown;
}

/** Gives the definition that holds for a call, within 5 s. It may be asked again when the call changes its process. */
export type AgentForCall = (call: AgentCall) => AgentDefinition | Promise<AgentDefinition>;

/** One definition for all calls, or one for each. */
export type Agent = AgentDefinition | AgentForCall;

/** Gives a definition its type. It is checked when the file is loaded, where the line at fault can be told. */
export const defineAgent = (agent: Agent): Agent => agent;

/** As `defineAgent`; `run` gets its argument's type from `parameters`. */
export const defineTool = <Parameters extends z.ZodObject>(
  tool: ToolDefinition<Parameters>,
): ToolDefinition => tool;
