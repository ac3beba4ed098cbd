import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { declaredTools } from '../../src/agent/record.ts';
import { resolveAgent } from '../../src/agent/resolve.ts';
import { destinationOf, transferTool } from '../../src/agent/transfer.ts';
import { systemClock } from '../../src/platform/clock.ts';
import { call, leastAgent, load, lookUp } from './example.ts';

const transfers = [
  { name: 'Sales', description: 'Wants to buy something.', to: '+15550177' },
  { name: '__proto__', description: 'Has a "difficult" question.', to: '+15550178' },
];
const { record } = await resolveAgent(load({ ...leastAgent, tools: [lookUp], transfers }), call, systemClock);
const ask = (destination: unknown) => destinationOf(record, JSON.stringify({ destination }));

describe('an agent that may hand callers on', () => {
  it('has a tool for it, which never runs twice', () => {
    const [, declared, hangUp] = declaredTools(record);
    expect(hangUp?.name).toBe('hang_up');
    expect(declared).toEqual({
      name: transferTool,
      description: expect.stringContaining('Puts the caller through'),
      parameters: {
        type: 'object',
        properties: {
          destination: {
            type: 'string',
            enum: ['Sales', '__proto__'],
            description: 'Sales: Wants to buy something.\n__proto__: Has a "difficult" question.',
          },
        },
        required: ['destination'],
        additionalProperties: false,
      },
      effect: 'once',
    });
  });

  it('tells the model no number', () => {
    const told = JSON.stringify([declaredTools(record), ask('Nobody'), destinationOf(record, '')]);
    for (const { to } of transfers) expect(told).not.toContain(to.slice(1));
  });

  it('means the number of the name that the model gives', () => {
    for (const { name, to } of transfers) expect(ask(name)).toEqual({ number: to });
  });
});

describe('an agent that may not', () => {
  it('has no such tool, and calls nobody', async () => {
    const { record: without } = await resolveAgent(load(leastAgent), call, systemClock);
    expect(declaredTools(without).map(({ name }) => name)).toEqual(['hang_up']);
    expect(destinationOf(without, JSON.stringify({ destination: 'Sales' }))).toHaveProperty('refusal');
  });
});

describe('whatever the model asks for', () => {
  it('only a number of the definition is dialled, and a refusal tells the names', () => {
    const odd = fc.oneof(
      fc.string(),
      fc.json(),
      fc.jsonValue().map((value) => JSON.stringify({ destination: value })),
    );
    const named = fc.constantFrom('"sales"', '"Sales "', '"+15550199"', '"constructor"', '["Sales"]', 'null');
    const texts = fc.oneof(
      odd,
      named.map((name) => `{"destination":${name}}`),
    );
    fc.assert(
      fc.property(texts, (text) => {
        const found = destinationOf(record, text);
        if ('number' in found)
          expect(JSON.parse(text).destination).toBe(transfers.find(({ to }) => to === found.number)?.name);
        else expect(found.refusal).toContain('"Sales", "__proto__"');
      }),
      { numRuns: 500 },
    );
  });
});
