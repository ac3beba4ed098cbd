import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { Agent } from '../../src/agent/definition.ts';
import { checkDefinition } from '../../src/agent/loaded-agent.ts';
import { FixCallError } from '../../src/runtime/ports/errors.ts';
import { inMemory, leastAgent, lookUp } from './example.ts';

const sales = { name: 'Sales (Ann)', description: 'For whoever wants to buy.', to: '+15550177' };
const check = (definition: unknown) => checkDefinition(definition, inMemory);

function complaintOf(definition: unknown): string {
  try {
    check(definition);
  } catch (error) {
    expect(error).toBeInstanceOf(FixCallError);
    expect(error).toMatchObject({ code: 'agent.invalid' });
    return (error as Error).message;
  }
  throw new Error('nothing was refused');
}

describe('an agent that leaves out what it may', () => {
  it('gets the defaults', () => {
    expect(check(leastAgent)).toEqual({
      ...leastAgent,
      voice: 'marin',
      turnDetection: { type: 'server_vad', threshold: 0.5, prefixPaddingMs: 300, silenceMs: 500 },
      transcription: { model: 'gpt-realtime-whisper', language: null },
      tools: [],
      transfers: [],
    });
    expect(check({ ...leastAgent, tools: [lookUp] }).tools[0]?.timeoutMs).toBe(10_000);
  });

  it('keeps what it says', () => {
    const said = {
      ...leastAgent,
      voice: 'cedar',
      turnDetection: { type: 'semantic_vad', eagerness: 'low' },
      transcription: { model: 'gpt-transcribe', language: 'de' },
      tools: [{ ...lookUp, timeoutMs: 600_000, find: () => ({ found: false }) }],
      transfers: [sales],
      onCallEnded: () => undefined,
    };
    expect(check(said)).toEqual(said);
    expect(check({ ...leastAgent, turnDetection: { type: 'semantic_vad' } }).turnDetection).toEqual({
      type: 'semantic_vad',
      eagerness: 'auto',
    });
  });
});

describe('an agent that cannot be used', () => {
  const tool = (changes: object) => ({ ...leastAgent, tools: [{ ...lookUp, ...changes }] });

  const transfers = (...list: object[]) => ({ ...leastAgent, transfers: list });

  it.each<[unknown, string]>([
    [{}, 'name is missing'],
    [{ ...leastAgent, greeting: undefined }, 'greeting is missing'],
    [{ ...leastAgent, greeting: '  ' }, 'greeting must be the first sentence that the caller hears'],
    [{ ...leastAgent, instructions: 7 }, 'instructions must be 1 to 50000 characters'],
    [{ ...leastAgent, instructions: 'a'.repeat(50_001) }, 'instructions must be 1 to 50000 characters'],
    [{ ...leastAgent, voise: 'marin' }, 'voise is no property of an agent'],
    [{ ...leastAgent, voice: '' }, 'voice must be the name of a voice'],
    [
      { ...leastAgent, turnDetection: { type: 'vad' } },
      'turnDetection.type must be server_vad or semantic_vad',
    ],
    [
      { ...leastAgent, turnDetection: { type: 'server_vad', threshold: 2 } },
      'turnDetection.threshold must be at most 1',
    ],
    [
      { ...leastAgent, turnDetection: { type: 'server_vad', silence: 2 } },
      'turnDetection.silence is no property of server_vad',
    ],
    [
      { ...leastAgent, turnDetection: { type: 'semantic_vad', eagerness: 'keen' } },
      'turnDetection.eagerness must be one of low, medium, high, auto',
    ],
    [{ ...leastAgent, transcription: { language: 'English' } }, 'transcription.language must be a language'],
    [{ ...leastAgent, tools: lookUp }, 'tools must be a list of tools'],
    [{ ...leastAgent, onCallEnded: 'log' }, 'onCallEnded must be a function'],
    [tool({ name: 'look up' }), 'tools[0].name must be 1 to 64 letters'],
    [tool({ name: 'a'.repeat(65) }), 'tools[0].name must be 1 to 64 letters'],
    [tool({ name: 'hang_up' }), 'tools[0].name must not be hang_up'],
    [tool({ name: 'transfer_call' }), 'tools[0].name must not be transfer_call'],
    [tool({ description: undefined }), 'tools[0].description is missing'],
    [tool({ parameters: { number: 'string' } }), 'tools[0].parameters must be a zod object'],
    [tool({ parameters: z.string() }), 'tools[0].parameters must be a zod object'],
    [
      tool({ parameters: z.object({ day: z.date() }) }),
      'tools[0].parameters cannot be told to the model: Date cannot be represented',
    ],
    [tool({ effect: 'twice' }), 'tools[0].effect must be one of none, idempotent, once'],
    [tool({ effect: undefined }), 'tools[0].effect is missing'],
    [tool({ timeoutMs: 0 }), 'tools[0].timeoutMs must be a whole number of milliseconds from 1 to 600000'],
    [tool({ timeoutMs: '5s' }), 'tools[0].timeoutMs must be a whole number'],
    [tool({ timeoutMs: 600_001 }), 'tools[0].timeoutMs must be a whole number'],
    [tool({ timeout: 5 }), 'tools[0].timeout is no property of a tool'],
    [tool({ run: undefined }), 'tools[0].run is missing'],
    [tool({ find: 'later' }), 'tools[0].find must be a function'],
    [{ ...leastAgent, tools: [lookUp, lookUp] }, 'tools[1].name must not be that of another tool'],
    [
      { ...leastAgent, tools: Array.from({ length: 65 }, (_, index) => ({ ...lookUp, name: `t${index}` })) },
      'tools must hold at most 64 tools',
    ],
    [
      transfers(sales, { ...sales, to: '+15550178' }),
      'transfers[1].name must not be that of another transfer',
    ],
    [transfers({ ...sales, to: '0800 555' }), 'transfers[0].to must be a number in E.164 form'],
    [transfers({ ...sales, to: undefined }), 'transfers[0].to is missing'],
    [transfers({ ...sales, name: ' ' }), 'transfers[0].name must be a name of 1 to 64 characters'],
    [transfers({ ...sales, description: '' }), 'transfers[0].description must be 1 to 1000 characters'],
    [transfers({ ...sales, number: '+15550177' }), 'transfers[0].number is no property of a transfer'],
    [
      transfers(...Array.from({ length: 21 }, (_, index) => ({ ...sales, name: `t${index}` }))),
      'transfers must hold at most 20 transfers',
    ],
    [{ ...leastAgent, transfers: sales }, 'transfers must be a list of transfers'],
    ['Hello!', 'the default export must be an agent'],
    [null, 'the default export must be an agent'],
  ])('is refused, and told why: %#', (definition, complaint) => {
    expect(complaintOf(definition)).toContain(`memory.ts:1: ${complaint}`);
  });

  it('is told everything at once', () => {
    expect(complaintOf({ name: 'desk', voice: 1, tools: [{}] }).match(/^memory\.ts:1: \S+/gm)).toEqual(
      ['instructions', 'greeting', 'voice']
        .concat(['name', 'description', 'parameters', 'effect', 'run'].map((name) => `tools[0].${name}`))
        .map((name) => `memory.ts:1: ${name}`),
    );
  });

  it('is told of its own zod only where that has no JSON Schema', () => {
    const parameters = z.strictObject({ list: z.array(z.enum(['a', 'b'])).optional() });
    expect(() => check(tool({ parameters }) as unknown as Agent)).not.toThrow();
  });
});
