import { describe, expectTypeOf, it } from 'vitest';
import { z } from 'zod';
import type { CheckedAgent } from '../../src/agent/definition-schema.ts';
import type { ToolOutcome } from '../../src/agent/tool-runner.ts';
import {
  type AgentCall,
  type AgentDefinition,
  defineAgent,
  defineTool,
  type ToolContext,
  type ToolDefinition,
} from '../../src/index.ts';
import type { DraftOf } from '../../src/machines/entries.ts';
import type { ModelRequest } from '../../src/runtime/ports/model.ts';

const base = { name: 'tool', description: 'A tool.', effect: 'none' } as const;

describe('the types of a definition', () => {
  it('give run the arguments that its parameters describe', () => {
    defineTool({
      ...base,
      parameters: z.object({
        number: z.string(),
        count: z.number().default(1),
        day: z.enum(['monday', 'friday']).optional(),
        length: z.string().transform((text) => text.length),
      }),
      run(input, context) {
        expectTypeOf(input).toEqualTypeOf<{
          number: string;
          count: number;
          day?: 'monday' | 'friday' | undefined;
          length: number;
        }>();
        expectTypeOf(context).toEqualTypeOf<ToolContext>();
        // @ts-expect-error: the parameters have no such property
        return input.missing;
      },
    });
    defineTool({
      ...base,
      parameters: z.strictObject({ number: z.string() }),
      run: ({ number }) => expectTypeOf(number).toBeString(),
    });
  });

  it('let tools of any parameters stand in one list', () => {
    const one = defineTool({ ...base, parameters: z.object({ a: z.string() }), run: ({ a }) => a });
    const two = defineTool({ ...base, parameters: z.object({ b: z.number() }), run: ({ b }) => b });
    expectTypeOf([one, two]).toEqualTypeOf<ToolDefinition[]>();
  });

  it('give a function of the call its call', () => {
    defineAgent((call) => {
      expectTypeOf(call).toEqualTypeOf<AgentCall>();
      return { name: 'desk', instructions: 'Answer.', greeting: `Hello, ${call.from}!` };
    });
    defineAgent(async () => ({ name: 'desk', instructions: 'Answer.', greeting: 'Hello!' }));
  });

  it('refuse what the check would refuse', () => {
    const least = { name: 'desk', instructions: 'Answer.', greeting: 'Hello!' };
    // @ts-expect-error: a greeting is needed
    defineAgent({ name: 'desk', instructions: 'Answer.' });
    // @ts-expect-error: misspelt
    defineAgent({ ...least, voise: 'marin' });
    defineAgent({
      ...least,
      // @ts-expect-error: server_vad has no eagerness
      turnDetection: { type: 'server_vad', eagerness: 'low' },
    });
    // @ts-expect-error: no such effect
    defineTool({ ...base, parameters: z.object({}), effect: 'twice', run: () => '' });
    // @ts-expect-error: find must say whether it found anything
    defineTool({ ...base, parameters: z.object({}), run: () => '', find: () => 'booked' });
    // @ts-expect-error: parameters must be an object
    defineTool({ ...base, parameters: z.string(), run: () => '' });
  });

  it('fit what they become', () => {
    expectTypeOf<CheckedAgent>().toExtend<AgentDefinition>();
    expectTypeOf<CheckedAgent['turnDetection']>().toEqualTypeOf<ModelRequest['turnDetection']>();
    expectTypeOf<CheckedAgent['transcription']>().toEqualTypeOf<ModelRequest['transcription']>();
    expectTypeOf<ToolOutcome['outcome']>().toEqualTypeOf<DraftOf<'tool.finished'>['outcome']>();
  });
});
