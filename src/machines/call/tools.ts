/** Owns: the region that answers "what is owed to the model?". */
import { and, not } from 'xstate';
import {
  createAnswer,
  createFiller,
  interruptReply,
  recoverOpenTools,
  runThisTool,
  sendThisToolResult,
} from './intents.ts';
import { nobodySpeaks } from './places.ts';
import { call } from './setup.ts';

export const tools = call.createStateConfig({
  initial: 'idle',
  on: {
    'tool.requested': { guard: 'newTool', target: '.running', actions: ['noteTool', runThisTool] },
    'reply.finished': { guard: 'toolAnswerDue', actions: createAnswer },
  },
  states: {
    /** Tools may have begun before a transfer that came to nothing. */
    idle: { always: { guard: 'toolsOpen', target: 'running' } },
    running: {
      on: {
        // The wait is bridged anew: the caller has only just got the line back.
        'owner.claimed': { guard: 'byAnother', target: 'running', reenter: true, actions: recoverOpenTools },
        'tool.finished': [
          {
            guard: and(['lastToolOnFreeFloor', not('fillerAwaited')]),
            target: 'idle',
            actions: ['settleTool', sendThisToolResult, createAnswer],
          },
          // A sentence that nobody has heard of yet would follow the result, and be taken for its answer.
          {
            guard: and(['lastTool', 'fillerUnheard']),
            target: 'idle',
            actions: [interruptReply, 'settleTool', sendThisToolResult],
          },
          // The answer follows a reply that is being said.
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
