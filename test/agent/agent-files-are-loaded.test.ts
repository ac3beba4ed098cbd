import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { loadAgent, loadLimitMs } from '../../src/agent/load.ts';
import { FixCallError } from '../../src/runtime/ports/errors.ts';
import { VirtualClock } from '../../src/twin/virtual-clock.ts';

/** The import of the test runner compiles by itself, and tells errors in its own words. */
const { importModule }: typeof import('./native-import.ts') = createRequire(import.meta.url)(
  './native-import.ts',
);

let directory = '';
beforeEach(() => {
  directory = realpathSync(mkdtempSync(join(tmpdir(), 'holdfast-agent-')));
  write('package.json', '{ "type": "module" }');
});
afterEach(() => rmSync(directory, { recursive: true }));

const write = (name: string, content: string) => writeFileSync(join(directory, name), content);
const load = (path: string) => loadAgent(path, { directory, importModule });

async function complaintOf(path: string): Promise<string> {
  const error = await load(path).then(
    () => new Error('nothing was refused'),
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(FixCallError);
  expect(error).toMatchObject({ code: 'agent.invalid' });
  return (error as Error).message;
}

const good = `type Text = string;
const name: Text = 'desk';
export default { name, instructions: 'Answer.', greeting: 'Hello!' };
`;

describe('a file that holds an agent', () => {
  it('is loaded, TypeScript by stripping its types', async () => {
    write('desk.ts', good);
    const { agent, origin } = await load('desk.ts');
    expect(agent).toMatchObject({ name: 'desk', voice: 'marin' });
    expect(origin).toMatchObject({ file: 'desk.ts', path: join(directory, 'desk.ts') });
  });

  it('is loaded as JavaScript, by an absolute path, through a link', async () => {
    write('desk.js', "export default () => ({ name: 'desk' });");
    symlinkSync(join(directory, 'desk.js'), join(directory, 'link.js'));
    expect((await load(join(directory, 'link.js'))).agent).toBeTypeOf('function');
  });
});

describe('a file that waits for what never comes', () => {
  it('is told as such after a minute, and not waited for without an end', async () => {
    write('waits.ts', good);
    const clock = new VirtualClock();
    const never = () => new Promise<never>(() => undefined);
    const loading = loadAgent('waits.ts', { directory, clock, importModule: never });
    const refused = expect(loading).rejects.toMatchObject({
      code: 'agent.invalid',
      message: expect.stringContaining('waits.ts: is not loaded after 60 s'),
    });
    await vi.waitFor(() => expect(clock.pendingTimers).toBe(1));
    await clock.advance(loadLimitMs);
    await refused;
  });

  it('is no other that loads or throws in time, and leaves no timer', async () => {
    write('good.ts', good);
    write('throws.ts', "throw new Error('no');");
    const clock = new VirtualClock();
    expect((await loadAgent('good.ts', { directory, clock, importModule })).agent).toMatchObject({
      name: 'desk',
    });
    await expect(loadAgent('throws.ts', { directory, clock, importModule })).rejects.toThrow(
      'throws when it is loaded: no',
    );
    expect(clock.pendingTimers).toBe(0);
  });
});

describe('a file that does not parse', () => {
  it.each([
    ['syntax.ts', 'const a = 1;\nconst b: = 3;\nexport default a;', 2, 'const b: = 3;'],
    ['enum.ts', '\n\nenum Size { Small }\nexport default Size;', 3, 'enum Size { Small }'],
    ['twice.ts', 'const a: number = 1;\n\nconst a = 2;\nexport default a;', 3, 'const a = 2;'],
    ['syntax.js', 'const a = 1;\nconst b = {;\nexport default a;', 2, 'const b = {;'],
    ['typed.js', 'const a = 1;\nconst b: number = 2;\nexport default a;', 2, 'const b: number = 2;'],
  ])('is refused with its line: %s', async (file, content, line, text) => {
    write(file, content);
    const complaint = await complaintOf(file);
    expect(complaint).toContain(`${file}:${line}: cannot be read as code: `);
    expect(complaint).toContain(`\n  ${line} | ${text}`);
    expect(complaint).not.toMatch(/^ +at /m);
  });

  it('is named as it was asked for, where that is a link', async () => {
    write('syntax.js', 'const a = {;');
    symlinkSync(join(directory, 'syntax.js'), join(directory, 'link.js'));
    expect(await complaintOf('link.js')).toContain('\nlink.js:1: cannot be read as code: ');
  });

  it('is told apart from one that it imports', async () => {
    write('broken.js', 'export const a = 1;\nexport const b = (;\n');
    write('outer.ts', "import { a } from './broken.js';\nexport default a;");
    const complaint = await complaintOf('outer.ts');
    expect(complaint).toContain(`${join(directory, 'broken.js')}:2: cannot be read as code: `);
    expect(complaint).toContain('(imported by outer.ts)\n  2 | export const b = (;');
  });

  it('does not run what it would have run', async () => {
    write(
      'effect.js',
      `import { writeFileSync } from 'node:fs';\nwriteFileSync('${join(directory, 'ran')}', '');`,
    );
    write('outer.js', "import './effect.js';\nconst a = {;\nexport default a;");
    expect(await complaintOf('outer.js')).toContain('outer.js:2:');
    await expect(load('ran')).rejects.toThrow('there is no such file');
  });
});

describe('a file that cannot be loaded', () => {
  it('is told with the import that is missing', async () => {
    write('imports.ts', "// './nowhere.ts'\nimport { a } from './nowhere.ts';\nexport default a;");
    expect(await complaintOf('imports.ts')).toContain('imports.ts:2: Cannot find module');
    write('packages.ts', "import a from 'no-such-package-here';\nexport default a;");
    expect(await complaintOf('packages.ts')).toContain(
      "packages.ts:1: Cannot find package 'no-such-package-here'",
    );
    write('split.ts', "const name = './nowhere' + '.ts';\nexport default await import(name);");
    expect(await complaintOf('split.ts')).toContain('split.ts: Cannot find module');
  });

  it('is told with the import that has no such name', async () => {
    write('other.ts', 'export const a = 1;');
    write('names.ts', "const c = 1;\nimport { b } from './other.ts';\nexport default b + c;");
    expect(await complaintOf('names.ts')).toContain(
      'names.ts:2: cannot be read as code: The requested module',
    );
  });

  it('is told with the line that throws', async () => {
    write(
      'throws.ts',
      'interface A { a: number }\n\nconst fail = () => {\n  throw new TypeError("no key");\n};\nexport default fail();',
    );
    expect(await complaintOf('throws.ts')).toContain(
      'throws.ts:4: throws when it is loaded: no key\n  4 |   throw',
    );
    write('helper.ts', '\n\nexport const fail = () => {\n  throw new Error("deep");\n};');
    write('calls.ts', "import { fail } from './helper.ts';\nexport default fail();");
    expect(await complaintOf('calls.ts')).toContain('calls.ts:2: throws when it is loaded: deep');
    write('parses.ts', 'const a = 1;\nexport default JSON.parse("{" + a);');
    expect(await complaintOf('parses.ts')).toContain('parses.ts:2: throws when it is loaded: ');
    write('inner.ts', '\nthrow new Error("inner");\nexport const a = 1;');
    write('outer.ts', "import { a } from './inner.ts';\nexport default a;");
    expect(await complaintOf('outer.ts')).toContain(
      `${join(directory, 'inner.ts')}:2: throws when it is loaded: inner`,
    );
  });

  it('is told where it throws something that is no error', async () => {
    write('word.js', "throw 'a word';");
    expect(await complaintOf('word.js')).toContain("word.js: throws when it is loaded: 'a word'");
    write('bottomless.js', 'throw Object.create(null);');
    expect(await complaintOf('bottomless.js')).toContain('[Object: null prototype] {}');
    write('bare.js', "const error = new Error('bare');\nerror.stack = undefined;\nthrow error;");
    expect(await complaintOf('bare.js')).toContain('bare.js: cannot be loaded: bare');
  });

  it('is told where it exports nothing by default', async () => {
    write('named.ts', 'export const agent = {};');
    expect(await complaintOf('named.ts')).toContain('named.ts: has no default export');
  });

  it('is told where there is none, and what names it', async () => {
    const complaint = await complaintOf('missing.ts');
    expect(complaint).toContain(`missing.ts: there is no such file (${join(directory, 'missing.ts')})`);
    expect(complaint).toContain("AGENT names the agent's file");
    mkdirSync(join(directory, 'folder'));
    expect(await complaintOf('folder')).toContain('folder: cannot be read (EISDIR)');
  });

  it('is told where Node does not know its kind', async () => {
    write('agent.yaml', 'name: desk');
    expect(await complaintOf('agent.yaml')).toContain('agent.yaml: cannot be loaded: Unknown file extension');
  });
});

describe('a definition that is wrong', () => {
  it('is refused with the line of each property at fault', async () => {
    write(
      'wrong.ts',
      "export default {\n  name: 'desk',\n  instructions: '',\n  greeting: 'Hello!',\n  voise: 'x',\n};",
    );
    const complaint = await complaintOf('wrong.ts');
    expect(complaint).toContain(
      "wrong.ts:3: instructions must be 1 to 50000 characters that tell the model what to do\n  3 |   instructions: '',",
    );
    expect(complaint).toContain("wrong.ts:5: voise is no property of an agent\n  5 |   voise: 'x',");
  });
});

it('Node itself loads the front desk, with holdfast standing for this package', () => {
  const script = `import { loadAgent } from './src/agent/load.ts';
    const { agent } = await loadAgent('agents/front-desk.ts');
    console.log(agent.name, agent.tools.map(({ name }) => name).join());`;
  const options = ['--conditions=holdfast-source', '--input-type=module', '--eval', script];
  expect(execFileSync(process.execPath, options, { encoding: 'utf8' })).toBe(
    'front-desk find_repair,book_pickup\n',
  );
});
