/** Owns: the model of a running process, as it is configured. */
import { createOpenAiModel } from '../adapters/openai/model.ts';
import type { CountOddity } from '../adapters/openai/oddity.ts';
import type { Configuration } from '../config/environment.ts';
import { openWebSocket } from '../platform/websocket.ts';
import type { Clock } from '../runtime/ports/clock.ts';
import type { Model } from '../runtime/ports/model.ts';

export const createModel = ({ openai }: Configuration, clock: Clock, count: CountOddity): Model =>
  createOpenAiModel({
    url: openai.realtimeUrl,
    model: openai.model,
    apiKey: openai.apiKey,
    clock,
    random: Math.random,
    openSocket: openWebSocket,
    count,
  });
