/** A browser gets the page's modules as JavaScript, finds each one that they import, and gets nothing else. */
import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { pageAsset } from '../../src/console/assets.ts';

const specifiers = /\b(?:from|import)\s*['"]([\w./-]+)['"]/g;

/** As a browser resolves it, import map included. */
const resolved = (specifier: string, from: string): string => {
  if (specifier === 'lit-html') return '/console/lib/lit-html.js';
  if (specifier.startsWith('lit-html/')) return `/console/lib/${specifier.slice('lit-html/'.length)}`;
  return new URL(specifier, `http://x${from}`).pathname;
};

function reachable(from: string, seen = new Map<string, string>()): Map<string, string> {
  if (seen.has(from)) return seen;
  const asset = pageAsset(from);
  if (!asset) throw new Error(`${from} is imported, and is not there`);
  seen.set(from, asset.body);
  const code = asset.body.replaceAll(/\/\*[\s\S]*?\*\//g, '');
  for (const [, specifier] of code.matchAll(specifiers)) reachable(resolved(specifier!, from), seen);
  return seen;
}

describe('the modules of the page', () => {
  const modules = new Map([...reachable('/console/main.js'), ...reachable('/console/try/worklet.js')]);

  it('are all there, down to the last one, and without types', () => {
    expect(modules.size).toBeGreaterThan(25);
    expect([...modules.keys()].filter((path) => path.endsWith('.ts'))).toEqual([]);
    for (const [path, body] of modules) {
      expect(body, path).not.toMatch(/^\s*(import|export) type\b|^interface /m);
      expect(pageAsset(path)?.contentType).toBe('text/javascript; charset=utf-8');
    }
    expect([...modules.keys()]).toContain('/console/lib/directives/live.js');
  });

  it('are read once', () => {
    expect(pageAsset('/console/main.js')).toBe(pageAsset('/console/main.js'));
  });
});

describe('the page', () => {
  it('allows its own import map by its digest, and nothing else that is not a file from here', () => {
    const page = pageAsset('/');
    const map = /<script type="importmap">([\s\S]*?)<\/script>/.exec(page?.body ?? '')?.[1] ?? '';
    expect(Object.keys(JSON.parse(map).imports)).toEqual(['lit-html', 'lit-html/']);
    const digest = createHash('sha256').update(map).digest('base64');
    expect(page?.policy).toContain(`script-src 'self' 'sha256-${digest}'`);
    expect(page?.policy).toContain("default-src 'none'");
    expect(page?.body.match(/<script/g)).toHaveLength(2);
  });

  it('has its styles and its icon', () => {
    expect(pageAsset('/console/styles.css')?.contentType).toBe('text/css; charset=utf-8');
    expect(pageAsset('/console/icon.svg')?.contentType).toBe('image/svg+xml');
  });
});

describe('anything else', () => {
  it.each([
    '/console/',
    '/console/main.ts',
    '/console/tsconfig.json',
    '/console/../assets.js',
    '/console/..%2fassets.js',
    '/console/lib/../package.json',
    '/console/lib/node/lit-html.js.map',
    '/console//main.js',
    '/main.js',
    '/console/nothing.js',
  ])('is not there: %s', (path) => {
    expect(pageAsset(path)).toBeNull();
  });

  it('is not there, whatever is asked for', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 40 }), (name) => {
        const asset = pageAsset(`/console/${name}`);
        expect(asset === null || /^[\w/-]+\.(js|css|svg)$/.test(name)).toBe(true);
      }),
    );
  });
});
