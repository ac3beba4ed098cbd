/** The project's sources as they are written: text, syntax tree, imports, functions. */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { parseAst } from 'rolldown/parseAst';

const root = join(import.meta.dirname, '../../..');

export interface Source {
  /** From the project's root, with forward slashes. */
  path: string;
  text: string;
}

export interface SyntaxNode {
  type: string;
  start: number;
  end: number;
  [field: string]: unknown;
}

export const readText = (path: string): string => readFileSync(join(root, path), 'utf8');

/** Every TypeScript file below a folder, and below folders in it. */
export function sourcesIn(folder: string): Source[] {
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => relative(root, join(entry.parentPath, entry.name)).replaceAll('\\', '/'))
    .sort()
    .map((path) => ({ path, text: readText(path) }));
}

export const treeOf = ({ path, text }: Source): SyntaxNode =>
  parseAst(text, { lang: 'ts', sourceType: 'module' }, path) as unknown as SyntaxNode;

/** All nodes of a tree, parents first. */
export function* nodesOf(node: SyntaxNode): Generator<SyntaxNode> {
  yield node;
  for (const value of Object.values(node)) {
    for (const child of Array.isArray(value) ? value : [value]) {
      if (typeof child === 'object' && child !== null && 'type' in child) yield* nodesOf(child as SyntaxNode);
    }
  }
}

const importing = new Set([
  'ImportDeclaration',
  'ExportNamedDeclaration',
  'ExportAllDeclaration',
  'ImportExpression',
  'TSImportType',
]);

/** What a file imports, statically, dynamically or as a type: files of ours from the root, packages by their name. */
export function importsOf(source: Source): string[] {
  return [...nodesOf(treeOf(source))]
    .filter(({ type }) => importing.has(type))
    .map((node) => (node.source as { value?: unknown } | null)?.value)
    .filter((specifier): specifier is string => typeof specifier === 'string')
    .map((specifier) =>
      specifier.startsWith('.') ? join(dirname(source.path), specifier) : packageOf(specifier),
    );
}

/** `openai/resources/realtime` is of the package `openai`; Node's own modules are all `node:`. */
function packageOf(specifier: string): string {
  if (specifier.startsWith('node:')) return 'node:';
  const parts = specifier.split('/');
  return parts.slice(0, specifier.startsWith('@') ? 2 : 1).join('/');
}

const functions = new Set(['FunctionDeclaration', 'FunctionExpression', 'ArrowFunctionExpression']);

/** Lines of each function of a file, from its first to its last. */
export const functionLinesOf = (source: Source): number[] =>
  [...nodesOf(treeOf(source))]
    .filter(({ type, body }) => functions.has(type) && body !== null)
    .map(({ start, end }) => source.text.slice(start, end).split('\n').length);
