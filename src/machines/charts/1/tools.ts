/** Owns: the region that answers "what is owed to the model?". Frozen, never edited. */
import { createAnswer, runThisTool, sendThisToolResult } from './intents.ts';
import { call } from './setup.ts';

/** Old commands are never replayed: each tool call without an outcome is asked for again, as a recovery. */
const recoverOpenTools = call.enqueueActions(({ context, enqueue }) => {
  for (const toolCallId of context.tools) enqueue({ type: 'recoverTool', params: { toolCallId } });
});

export const tools = call.createStateConfig({
  initial: 'idle',
  on: {
    'owner.claimed': { guard: 'byAnother', actions: recoverOpenTools },
    'tool.requested': { guard: 'newTool', target: '.running', actions: ['noteTool', runThisTool] },
    'reply.finished': { guard: 'toolAnswerDue', actions: createAnswer },
  },
  states: {
    idle: {},
    running: {
      on: {
        'tool.finished': [
          {
            guard: 'lastToolOnFreeFloor',
            target: 'idle',
            actions: ['settleTool', sendThisToolResult, createAnswer],
          },
          { guard: 'lastTool', target: 'idle', actions: ['settleTool', sendThisToolResult] },
          { guard: 'openTool', actions: ['settleTool', sendThisToolResult] },
        ],
      },
    },
  },
});
