/** The direction of imports: which room may know which. Only the composition knows all. */
import { describe, expect, it } from 'vitest';
import { importsOf, type Source, sourcesIn } from './support/sources.ts';

interface Room {
  /** Folders that a file of the room may import from, besides its own. */
  rooms: readonly string[];
  /** Packages that it may import; absent where it may import any. Node's own modules are `node:`. */
  packages?: readonly string[];
}

const ports = 'src/runtime/ports/';
const vocabulary = 'src/machines/';

const rooms: Record<string, Room> = {
  'src/machines/': { rooms: [], packages: ['xstate', 'zod'] },
  'src/runtime/': { rooms: [vocabulary], packages: ['xstate', 'zod', 'node:'] },
  'src/media/': { rooms: [], packages: ['node:'] },
  'src/platform/': { rooms: [ports] },
  'src/config/': { rooms: [ports, vocabulary, 'src/platform/loopback.ts'] },
  'src/agent/': { rooms: [ports, vocabulary] },
  'src/telemetry/': { rooms: [ports, vocabulary] },
  'src/console/': { rooms: [ports, vocabulary] },
  // The twin plays a peer of ours: it shares the sound and the sockets with us, and nothing that it could copy.
  'src/twin/': { rooms: [ports, 'src/media/mulaw.ts', 'src/platform/'] },
  // Each adapter is a room of its own.
  'src/adapters/': { rooms: [ports, vocabulary, 'src/platform/heartbeat.ts', 'src/platform/loopback.ts'] },
};

/** Who puts the rooms together. */
const composition = ['src/service/', 'src/demo/', 'src/cli/', 'src/index.ts'];

const adapterOf = /^src\/adapters\/[^/]+\//;
const sources = sourcesIn('src');

function roomOf({ path }: Source): [folder: string, room: Room] | null {
  const found = Object.entries(rooms).find(([folder]) => path.startsWith(folder));
  if (!found) return null;
  return [adapterOf.exec(path)?.[0] ?? found[0], found[1]];
}

function strangersIn(source: Source): string[] {
  const home = roomOf(source);
  if (!home) return [];
  const [folder, { rooms: known, packages }] = home;
  return importsOf(source).filter((imported) =>
    imported.startsWith('src/')
      ? ![folder, ...known].some((place) => imported.startsWith(place))
      : packages !== undefined && !packages.includes(imported),
  );
}

describe('imports', () => {
  it('are found: static, of types, exported on, and dynamic', () => {
    const text = [
      "import a from 'zod';",
      "import type { B } from '../b.ts';",
      "export * from './c.ts';",
      "export { d } from '@opentelemetry/api/build';",
      "const e = await import('node:fs');",
      "type F = import('./f.ts').F;",
    ].join('\n');
    expect(importsOf({ path: 'src/x/a.ts', text })).toEqual([
      'zod',
      'src/b.ts',
      'src/x/c.ts',
      '@opentelemetry/api',
      'node:',
      'src/x/f.ts',
    ]);
  });

  it('are ruled for every file, but for the composition', () => {
    const unruled = sources.filter(
      (source) => !roomOf(source) && !composition.some((place) => source.path.startsWith(place)),
    );
    expect(unruled.map(({ path }) => path)).toEqual([]);
  });

  it.each(Object.keys(rooms))('of %s go where they may', (folder) => {
    const strangers = sources
      .filter(({ path }) => path.startsWith(folder))
      .flatMap((source) => strangersIn(source).map((imported) => `${source.path} imports ${imported}`));
    expect(strangers).toEqual([]);
  });

  it('would be refused where they go astray', () => {
    const astray = (path: string, specifier: string) => strangersIn({ path, text: `import '${specifier}';` });
    expect(astray('src/machines/x.ts', '../runtime/step.ts')).toHaveLength(1);
    expect(astray('src/machines/x.ts', 'node:crypto')).toHaveLength(1);
    expect(astray('src/adapters/twilio/x.ts', '../openai/session.ts')).toHaveLength(1);
    expect(astray('src/adapters/twilio/x.ts', '../../runtime/call.ts')).toHaveLength(1);
    expect(astray('src/adapters/twilio/x.ts', './twiml.ts')).toHaveLength(0);
    expect(astray('src/media/x.ts', '../runtime/ports/clock.ts')).toHaveLength(1);
    expect(astray('src/twin/twilio/x.ts', '../../media/ring.ts')).toHaveLength(1);
    expect(astray('src/twin/twilio/x.ts', '../../machines/entries.ts')).toHaveLength(1);
    expect(astray('src/telemetry/x.ts', '../service/service.ts')).toHaveLength(1);
  });

  it('lead to files that exist', () => {
    const paths = new Set(sources.map(({ path }) => path));
    const lost = sources.flatMap((source) =>
      importsOf(source)
        .filter((imported) => imported.startsWith('src/') && imported.endsWith('.ts') && !paths.has(imported))
        .map((imported) => `${source.path} imports ${imported}`),
    );
    expect(lost).toEqual([]);
  });

  it('of the sources never lead out of them', () => {
    const outside = sources.flatMap((source) =>
      importsOf(source)
        .filter((imported) => imported.startsWith('..') || /^(test|scripts|agents|bin)\//.test(imported))
        .map((imported) => `${source.path} imports ${imported}`),
    );
    expect(outside).toEqual([]);
  });
});
