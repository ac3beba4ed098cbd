/** The standard output of a process, on real pipes and files: whose reader reads, has stopped reading, or has no room. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { closeSync, constants, mkdtempSync, openSync, readFileSync, readSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../src/platform/clock.ts';
import { StandardOutput } from '../../src/platform/standard-output.ts';
import type { Clock } from '../../src/runtime/ports/clock.ts';
import { VirtualClock } from '../../src/twin/virtual-clock.ts';

const source = new URL('../../src/platform/standard-output.ts', import.meta.url).href;

let folder: string;
let descriptors: number[];
let children: ChildProcess[];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'holdfast-output-'));
  descriptors = [];
  children = [];
});
afterEach(() => {
  for (const child of children) child.kill('SIGKILL');
  for (const descriptor of descriptors) closeSync(descriptor);
  rmSync(folder, { recursive: true });
});

function open(path: string, flags: number): number {
  const descriptor = openSync(path, flags);
  descriptors.push(descriptor);
  return descriptor;
}

const outputTo = (descriptor: number, clock: Clock = systemClock): StandardOutput =>
  new StandardOutput({ descriptor, keepFromWaiting: () => undefined }, clock);

/** Both ends of a pipe that holds 64 KB. */
function pipe(): { output: StandardOutput; read(): string } {
  const path = join(folder, 'pipe');
  execFileSync('mkfifo', [path]);
  const reader = open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  const output = outputTo(open(path, constants.O_WRONLY | constants.O_NONBLOCK));
  const buffer = Buffer.alloc(65_536);
  const read = (): string => {
    try {
      return buffer.toString('utf8', 0, readSync(reader, buffer));
    } catch {
      return '';
    }
  };
  return { output, read };
}

/** Reads until nothing waits any more. */
async function drained({ output, read }: ReturnType<typeof pipe>): Promise<string[]> {
  let text = '';
  let isWritten = false;
  void output.written(20_000).then(() => {
    isWritten = true;
  });
  while (!isWritten) {
    text += read();
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  return (text + read()).split('\n').slice(0, -1);
}

const line = (number: number): string => `${number} ${'x'.repeat(number % 7 === 0 ? 9_000 : 300)}\n`;
const lines = Array.from({ length: 400 }, (_, number) => line(number));

describe('lines', () => {
  it('arrive whole and in order, however slowly they are read', async () => {
    const end = pipe();
    for (const each of lines) end.output.write(each);
    expect((await drained(end)).map((each) => `${each}\n`)).toEqual(lines);
  });

  it('that nobody reads are dropped beyond a bound, and counted in one line once somebody does', async () => {
    const end = pipe();
    end.output.tellDroppedBy((count) => end.output.write(`${count} dropped\n`));
    for (let number = 0; number < 10_000; number++) end.output.write(line(number));
    const arrived = await drained(end);
    expect(arrived.join('').length).toBeLessThan(1_200_000);
    expect(arrived.filter((each) => each.endsWith('dropped'))).toEqual([
      `${10_000 - (arrived.length - 1)} dropped`,
    ]);
    expect(arrived.slice(0, 500).map((each) => `${each}\n`)).toEqual(
      Array.from({ length: 500 }, (_, number) => line(number)),
    );
  });

  it('that a full disk does not take raise nothing, and hold up no end', async () => {
    // It tries again for ever: by the real clock also once its descriptor is closed here, and is somebody else's.
    const clock = new VirtualClock();
    const output = outputTo(open('/dev/full', constants.O_WRONLY), clock);
    for (const each of lines) output.write(each);
    const from = performance.now();
    const written = output.written(200);
    for (let tries = 0; tries < 4; tries++) {
      await clock.advance(50);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    await written;
    output.writeLast();
    expect(performance.now() - from).toBeLessThan(2_000);
  });
});

/** Writes, and ends without another word. */
const program = (end: string): string => `
  import { standardOutput } from '${source}';
  for (let number = 0; number < 200; number++) standardOutput().write(number + ' ' + 'x'.repeat(300) + '\\n');
  ${end}
  process.exit(3);
`;
const ends: [string, string][] = [
  ['at an exit that waits for them', 'await standardOutput().written(5_000);'],
  ['at one that does not', ''],
];

describe.each(ends)('the last lines arrive %s', (_, end) => {
  /** @param redirection of a shell, which leaves its own pipe or file to the program */
  const run = (redirection: string): string =>
    execFileSync(
      'sh',
      ['-c', `"$0" --input-type=module --eval "$1" ${redirection}`, process.execPath, program(end)],
      {
        encoding: 'utf8',
      },
    );

  const numbers = (text: string): number[] =>
    text
      .split('\n')
      .slice(0, -1)
      .map((each) => Number(each.split(' ')[0]));
  const all = Array.from({ length: 200 }, (_, number) => number);

  it('in a pipe that is read', () => {
    const text = run('; echo "ended with $?"');
    expect(text).toContain('ended with 3');
    expect(
      numbers(text)
        .slice(0, -1)
        .sort((one, other) => one - other),
    ).toEqual(all);
  });

  it('in a file', () => {
    const path = join(folder, 'log');
    run(`> ${path} || true`);
    expect(numbers(readFileSync(path, 'utf8')).sort((one, other) => one - other)).toEqual(all);
  });
});

/** More than anything takes; its child sets what it writes to to wait, as it exits. */
const heedless = `
  import { spawnSync } from 'node:child_process';
  import { standardOutput } from '${source}';
  standardOutput();
  spawnSync(process.execPath, ['--eval', 'process.stdout'], { stdio: 'inherit' });
  for (let number = 0; number < 3_000; number++) standardOutput().write('x'.repeat(300) + '\\n');
  await standardOutput().written(300);
  process.exit(3);
`;

describe('a process ends though nobody reads, and another one has set that to wait', () => {
  const words = ['--input-type=module', '--eval', heedless];
  const endOf = (child: ChildProcess): Promise<number | null> => {
    children.push(child);
    return new Promise((resolve) => child.once('exit', resolve));
  };

  it('its socket', async () => {
    expect(await endOf(spawn(process.execPath, words))).toBe(3);
  });

  it('its pipe', async () => {
    const path = join(folder, 'pipe');
    execFileSync('mkfifo', [path]);
    open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    const stdio = ['ignore', open(path, constants.O_WRONLY), 'inherit'] as const;
    expect(await endOf(spawn(process.execPath, words, { stdio: [...stdio] }))).toBe(3);
  });
});
