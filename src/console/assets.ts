/**
 * Owns: the page's files as a browser gets them: modules without their types, lit-html, styles, and the page itself with
 * the policy under which nothing comes from anywhere else.
 * Does not own: the files (`page/`), the answer to the browser (`src/adapters/http/assets.ts`).
 *
 * Where the project runs from its sources, types are taken off as a module is first asked for; where it is installed, the
 * compiled modules are read. Either way a file is read once.
 */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { createRequire, stripTypeScriptTypes } from 'node:module';
import { dirname, extname, join } from 'node:path';

export interface PageAsset {
  contentType: string;
  body: string;
  /** Content-Security-Policy of the page itself. */
  policy?: string;
}

const folder = join(import.meta.dirname, 'page');
/** lit-html's package does not export its own folder. */
const litFolder = dirname(createRequire(import.meta.url).resolve('lit-html'));

const contentTypes: Readonly<Record<string, string>> = {
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.html': 'text/html; charset=utf-8',
};

/** No way out of the folder, no hidden file. */
const safePath = /^(?:[\w-]+\/)*[\w-]+\.(?:js|css|svg)$/;
const inlineMap = /<script type="importmap">([\s\S]*?)<\/script>/;
const ownImport = /(\bfrom\s*|\bimport\s*)(['"])(\.[^'"]+)\.ts\2/g;

const found = new Map<string, PageAsset | null>();

/** `path` as the browser asks for it: `/`, `/console/main.js`, `/console/lib/lit-html.js`. Null where there is nothing. */
export function pageAsset(path: string): PageAsset | null {
  const known = found.get(path);
  if (known !== undefined) return known;
  const asset = path === '/' ? page() : file(path);
  // What is not there is not remembered: anybody could fill the memory with it.
  if (asset) found.set(path, asset);
  return asset;
}

function page(): PageAsset {
  const body = readFileSync(join(folder, 'index.html'), 'utf8');
  return { contentType: contentTypes['.html'] ?? '', body, policy: policyOf(body) };
}

/** Everything from here alone; the one inline script is the import map, by its digest. */
function policyOf(html: string): string {
  const digest = createHash('sha256')
    .update(inlineMap.exec(html)?.[1] ?? '')
    .digest('base64');
  return [
    "default-src 'none'",
    `script-src 'self' 'sha256-${digest}'`,
    "style-src 'self'",
    "img-src 'self'",
    "connect-src 'self'",
    "media-src 'self'",
    "base-uri 'none'",
    "form-action 'self'",
    "frame-ancestors 'none'",
  ].join('; ');
}

function file(path: string): PageAsset | null {
  const name = path.replace(/^\/console\//, '');
  if (name === path || !safePath.test(name)) return null;
  const body = name.startsWith('lib/') ? read(join(litFolder, name.slice('lib/'.length))) : module(name);
  return body === null ? null : { contentType: contentTypes[extname(name)] ?? '', body };
}

const read = (path: string): string | null => (existsSync(path) ? readFileSync(path, 'utf8') : null);

function module(name: string): string | null {
  const source = name.endsWith('.js') ? read(join(folder, name.replace(/\.js$/, '.ts'))) : null;
  if (source === null) return read(join(folder, name));
  return stripTypeScriptTypes(source).replace(ownImport, '$1$2$3.js$2');
}
