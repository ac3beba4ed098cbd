/** What keeps the project a pleasure to read, as far as a machine can tell. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { errorCodes } from '../../src/runtime/ports/errors.ts';
import { functionLinesOf, nodesOf, readText, type Source, sourcesIn, treeOf } from './support/sources.ts';

const mostLines = 350;
const medianFunctionLines = 10;

const sources = sourcesIn('src');
const shipped = [...sources, ...sourcesIn('scripts'), ...sourcesIn('agents')];
const everything = [...shipped, ...sourcesIn('test')];

const named = (found: readonly Source[]): string[] => found.map(({ path }) => path);
const linesOf = ({ text }: Source): number => text.trimEnd().split('\n').length;

describe('a source file', () => {
  it('has at most 350 lines', () => {
    const long = sources.filter((source) => linesOf(source) > mostLines);
    expect(long.map((source) => `${source.path}: ${linesOf(source)}`)).toEqual([]);
  });

  it('begins by saying what it owns', () => {
    const header = /^(#!.*\n)?\/\*\*[^/]*?\bOwns\b/;
    expect(named(sources.filter(({ text }) => !header.test(text)))).toEqual([]);
  });

  it('is in a folder that is named after what it does', () => {
    const vague = /(^|\/)(utils?|helpers?|common|misc|lib|shared)(\/|\.ts$)/i;
    expect(named(everything.filter(({ path }) => vague.test(path)))).toEqual([]);
  });
});

describe('the functions', () => {
  const median = (lengths: readonly number[]): number =>
    [...lengths].sort((a, b) => a - b)[Math.floor(lengths.length / 2)] ?? 0;

  it('are short: the median is under 10 lines', () => {
    const lengths = sources.flatMap(functionLinesOf);
    expect(lengths.length).toBeGreaterThan(500);
    expect(median(lengths)).toBeLessThan(medianFunctionLines);
  });

  it('are measured from their first to their last line', () => {
    const text = 'export function a() {\n  return 1;\n}\nconst b = () =>\n  a();\nclass C {\n  d() {}\n}\n';
    expect(functionLinesOf({ path: 'src/a.ts', text })).toEqual([3, 2, 1]);
  });
});

describe('nowhere in the sources', () => {
  it('is a note to do something later', () => {
    const later = new RegExp(
      `\\b(${['TO', 'DO'].join('')}|${['FIX', 'ME'].join('')}|${['X', 'XX'].join('')})\\b`,
    );
    expect(named(everything.filter(({ text }) => later.test(text)))).toEqual([]);
  });

  it('is the type any', () => {
    const anywhere = everything.filter((source) =>
      [...nodesOf(treeOf(source))].some(({ type }) => type === 'TSAnyKeyword'),
    );
    expect(named(anywhere)).toEqual([]);
  });

  it('is a path that only one machine has', () => {
    const outside = new RegExp(['/wo', 'rk/|\\.\\./sha', 'red/|/ho', 'me/|/Us', 'ers/'].join(''));
    expect(named(shipped.filter(({ text }) => outside.test(text)))).toEqual([]);
  });

  it('is a comment about a file that is not there', () => {
    const paths = new Set(everything.map(({ path }) => path));
    const isThere = (from: string, named: string): boolean => {
      const places = from.split('/').map((_, index, parts) => parts.slice(0, index).join('/'));
      return places.some((place) => paths.has(join(place, named)));
    };
    const lost = everything.flatMap(({ path, text }) =>
      [...text.matchAll(/^ *(?:\/?\*+|\/\/) .*$/gm)]
        .flatMap(([comment]) => [...comment.matchAll(/`([\w./-]+\.ts)`/g)])
        .filter(([, name = '']) => !isThere(path, name) && !isThere(path, `src/${name}`))
        .map(([, name]) => `${path}: ${name}`),
    );
    expect(lost).toEqual([]);
  });

  it('is a test that is skipped or the only one to run', () => {
    const left = /\b(it|test|describe)\.(skip|only|todo|fails)\b/;
    const tests = everything.filter(
      ({ path }) => path.endsWith('.test.ts') && !path.endsWith('tidy.test.ts'),
    );
    expect(named(tests.filter(({ text }) => left.test(text)))).toEqual([]);
  });
});

describe('the documentation of errors', () => {
  const table = readText('docs/errors.md');
  const documented = [...table.matchAll(/^\| `([a-z]+\.[A-Za-z]+)` \|/gm)].map(([, code]) => code);

  it('lists every code, and none that there is not', () => {
    expect(documented.sort()).toEqual(Object.keys(errorCodes).sort());
  });

  it('names for each code the class that is thrown with it', () => {
    const thrown = sources.flatMap(({ text }) =>
      [...text.matchAll(/new (\w+Error)\(\s*'([a-z]+\.[A-Za-z]+)'/g)].map(
        ([, name, code]) => `${code} ${name}`,
      ),
    );
    for (const each of new Set(thrown)) {
      const [code, name] = each.split(' ');
      const row = table.split('\n').find((line) => line.startsWith(`| \`${code}\` |`));
      expect(row, `the row of ${code} names ${name}`).toContain(`\`${name}\``);
    }
  });
});

describe('the documents', () => {
  it('link to files that exist', () => {
    const documents = ['', 'docs/', 'docs/guides/', 'docs/decisions/'].flatMap((folder) =>
      readdirSync(new URL(`../../${folder}`, import.meta.url))
        .filter((name) => name.endsWith('.md'))
        .map((name) => folder + name),
    );
    const broken = documents.flatMap((document) =>
      [...readText(document).matchAll(/\]\((?!https?:|#|mailto:)([^)#\s]+)/g)]
        .map(([, target]) => new URL(target ?? '', new URL(`../../${document}`, import.meta.url)))
        .filter((target) => !exists(target))
        .map((target) => `${document}: ${target.pathname}`),
    );
    expect(broken).toEqual([]);
  });
});

function exists(target: URL): boolean {
  try {
    readdirSync(target);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOTDIR';
  }
}
