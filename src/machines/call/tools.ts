/** Owns: the region that answers "what is owed to the model?". */
import { and, not } from 'xstate';
import { createAnswer, createFiller, recoverOpenTools, runThisTool, sendThisToolResult } from './intents.ts';
import { nobodySpeaks } from './places.ts';
import { call } from './setup.ts';

export const tools = call.createStateConfig({
  initial: 'idle',
  on: {
    'owner.claimed': { guard: 'byAnother', actions: recoverOpenTools },
    'tool.requested': { guard: 'newTool', target: '.running', actions: ['noteTool', runThisTool] },
    'reply.finished': { guard: 'toolAnswerDue', actions: createAnswer },
  },
  states: {
    /** Tools may have begun before a transfer that came to nothing. */
    idle: { always: { guard: 'toolsOpen', target: 'running' } },
    running: {
      on: {
        'tool.finished': [
          // The answer follows a sentence that was asked for before.
          {
            guard: and(['lastToolOnFreeFloor', not('fillerAwaited')]),
            target: 'idle',
            actions: ['settleTool', sendThisToolResult, createAnswer],
          },
          { guard: 'lastTool', target: 'idle', actions: ['settleTool', sendThisToolResult] },
          { guard: 'openTool', actions: ['settleTool', sendThisToolResult] },
        ],
      },
      after: {
        toolFiller: [
          { guard: and(['fillerDue', nobodySpeaks]), actions: ['noteFiller', createFiller] },
          { guard: 'fillerMayCome', target: 'running', reenter: true },
        ],
      },
    },
  },
});
