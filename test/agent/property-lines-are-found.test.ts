import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { lineOf } from '../../src/agent/source-line.ts';

/** The text of the line that is found. */
const lineIn = (source: string, ...path: PropertyKey[]): string | undefined =>
  source.split('\n')[lineOf(source, path) - 1]?.trim();

const inline = `
import { defineAgent, defineTool } from 'holdfast';
// export default nothing: { name: 'no' }
const text = "export default { name: 1 }";
export default defineAgent({
  /* name: 'commented out', { [ */
  name: 'desk',
  greeting: \`Hello, {
    name: we are open\`,
  'voice': 'marin', turnDetection: { type: 'server_vad',
    threshold: 0.5,
  },
  tools: [
    defineTool({
      name: 'one',
      parameters: z.object({ name: z.string().regex(/^[{,'"(]\\d{4}$/) }),
      effect: 'none',
      run: ({ number }, { key }) => ({ name: number, timeoutMs: [key, 2] }),
      timeoutMs: 5,
    }),
    {
      name: 'two',
      async run(input) {
        return { timeoutMs: 1 };
      },
      timeoutMs: '6s',
    },
  ],
  async onCallEnded() {},
});
`;

const referring = `
const shared: string = 'Hello';
const timeoutMs = 5;
const first = defineTool({
  name: 'first',
  timeoutMs,
});
let $second: ToolDefinition = {
  name: 'second',
};
const tools = [first, $second];
const agent = defineAgent({
  name: 'desk',
  tools,
  greeting: shared,
});
export default agent;
`;

describe('the line of a property', () => {
  it.each<[string, PropertyKey[]]>([
    ["name: 'desk',", ['name']],
    ['greeting: `Hello, {', ['greeting']],
    ["'voice': 'marin', turnDetection: { type: 'server_vad',", ['voice']],
    ['threshold: 0.5,', ['turnDetection', 'threshold']],
    ["name: 'one',", ['tools', 0, 'name']],
    ['parameters: z.object({ name: z.string().regex(/^[{,\'"(]\\d{4}$/) }),', ['tools', 0, 'parameters']],
    ['timeoutMs: 5,', ['tools', 0, 'timeoutMs']],
    ["name: 'two',", ['tools', 1, 'name']],
    ['async run(input) {', ['tools', 1, 'run']],
    ["timeoutMs: '6s',", ['tools', 1, 'timeoutMs']],
    ['async onCallEnded() {},', ['onCallEnded']],
  ])('is found in the definition: %s', (line, path) => {
    expect(lineIn(inline, ...path)).toBe(line);
  });

  it('is that of the parent where the property is missing', () => {
    expect(lineIn(inline, 'instructions')).toBe('export default defineAgent({');
    expect(lineIn(inline, 'turnDetection', 'silenceMs')).toContain('turnDetection: {');
    expect(lineIn(inline, 'tools', 0, 'description')).toBe('defineTool({');
    expect(lineIn(inline, 'tools', 2)).toBe('tools: [');
    expect(lineIn(inline, 'name', 'first', 'letter')).toBe("name: 'desk',");
    expect(lineIn(inline, 'tools', 'length')).toBe('tools: [');
    expect(lineIn(inline)).toBe('export default defineAgent({');
  });

  it('is found where names stand for the parts', () => {
    expect(lineIn(referring, 'name')).toBe("name: 'desk',");
    expect(lineIn(referring, 'greeting')).toBe('greeting: shared,');
    expect(lineIn(referring, 'tools', 0)).toBe('const tools = [first, $second];');
    expect(lineIn(referring, 'tools', 0, 'name')).toBe("name: 'first',");
    expect(lineIn(referring, 'tools', 0, 'timeoutMs')).toBe('timeoutMs,');
    expect(lineIn(referring, 'tools', 0, 'effect')).toBe('const first = defineTool({');
    expect(lineIn(referring, 'tools', 1, 'name')).toBe("name: 'second',");
    expect(lineIn(referring, 'tools', 1, 'effect')).toBe('let $second: ToolDefinition = {');
    expect(lineIn(referring, 'instructions')).toBe('const agent = defineAgent({');
  });

  it.each([
    'export default (call) => ({\n  name: 1,\n});',
    'export default async (call) => defineAgent({\n  name: 1,\n});',
    'export default defineAgent((call) => ({\n  name: 1,\n}));',
    'export default defineAgent(async ({ from }) => {\n  const a = { b: 1 };\n  return {\n  name: 1,\n}; });',
    'export default function (call) {\n  return {\n  name: 1,\n}; }',
    'async function choose(call) {\n  return {\n  name: 1,\n}; }\nexport default choose;',
    'const choose = (call) => {\n  return agent;\n};\nconst agent = {\n  name: 1,\n};\nexport default choose;',
    'module.exports = {\n  name: 1,\n};',
  ])('is found in what a function gives back: %#', (source) => {
    expect(lineIn(source, 'name')).toBe('name: 1,');
  });

  it.each([
    '',
    'nothing',
    'export default',
    'const a = b;\nconst b = a;\nexport default a;',
    'export default {',
    '{',
  ])('is some line even where the text makes no sense: %j', (source) => {
    expect(lineOf(source, ['name'])).toBeGreaterThan(0);
  });

  it('is always a line of the text', () => {
    const piece = fc.constantFrom(
      ...[
        'export default ',
        'a',
        '{',
        '}',
        '[',
        ']',
        '(',
        ')',
        ',',
        ':',
        '=>',
        'return ',
        '\n',
        "'",
        '"',
        '`',
        '/',
        '//',
      ],
      ...['/*', '*/', 'const a = ', '\\', ' ', 'name', 'function ', 'async ', '$', '\u{1F6B2}'],
    );
    const text = fc.array(piece, { maxLength: 60 }).map((pieces) => pieces.join(''));
    const path = fc.array(fc.oneof(fc.constantFrom('name', 'a', '__proto__'), fc.nat(3)), { maxLength: 4 });
    fc.assert(
      fc.property(text, path, (source, steps) => {
        const line = lineOf(source, steps);
        expect(line).toBeGreaterThanOrEqual(1);
        expect(line).toBeLessThanOrEqual(source.split('\n').length);
      }),
      { numRuns: 2_000 },
    );
  });
});
