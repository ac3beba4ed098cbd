/**
 * Owns: the names under which spans tell things: one table, as with metrics.
 * Does not own: their values (`episode-span.ts`).
 *
 * `gen_ai.*` and `error.type` as in OpenTelemetry's semantic conventions for generative AI, which are in development and
 * not in any package that is not marked as outdated: hence copied. What they have no name for is `holdfast.*`; durations
 * are in seconds there as here.
 */
export const attributes = {
  callId: 'holdfast.call.id',
  direction: 'holdfast.call.direction',
  endReason: 'holdfast.call.end_reason',
  owner: 'holdfast.call.instance',
  outcome: 'holdfast.outcome',
  cause: 'holdfast.cause',
  usedTool: 'holdfast.turn.tool',
  endOfTurn: 'holdfast.turn.end_of_turn',
  replyStatus: 'holdfast.reply.status',
  generation: 'holdfast.session.generation',
  closeCode: 'holdfast.session.close_code',
  attempt: 'holdfast.stream.attempt',
  streamEnd: 'holdfast.stream.end',
  rung: 'holdfast.recovery.rung',
  inputAudioTokens: 'holdfast.usage.input_audio_tokens',
  outputAudioTokens: 'holdfast.usage.output_audio_tokens',

  errorType: 'error.type',
  operation: 'gen_ai.operation.name',
  provider: 'gen_ai.provider.name',
  conversation: 'gen_ai.conversation.id',
  requestModel: 'gen_ai.request.model',
  isStream: 'gen_ai.request.stream',
  outputType: 'gen_ai.output.type',
  responseId: 'gen_ai.response.id',
  firstChunk: 'gen_ai.response.time_to_first_chunk',
  inputTokens: 'gen_ai.usage.input_tokens',
  outputTokens: 'gen_ai.usage.output_tokens',
  cachedTokens: 'gen_ai.usage.cache_read.input_tokens',
  toolName: 'gen_ai.tool.name',
  toolType: 'gen_ai.tool.type',
} as const;
