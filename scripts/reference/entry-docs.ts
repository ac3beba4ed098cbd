/**
 * Owns: what is known of each entry of a call's log: its section, its words and its fields, from the schemas and what
 * stands above them in the source.
 * Does not own: the entries (`src/machines/entries.ts`), the page (`entries-page.ts`).
 */
import { z } from 'zod';
import { type EntryType, entrySchemas } from '../../src/machines/entries.ts';
import { nodesOf, readText, type SyntaxNode, treeOf } from '../../test/rules/support/sources.ts';
import { sharedFields } from './shared-fields.ts';
import { isOptional, type Schema, typeText } from './type-text.ts';

export interface FieldDoc {
  name: string;
  type: string;
  /** Empty where nobody wrote any. */
  words: string;
}

export interface EntryDoc {
  type: EntryType;
  /** The line comment above the first entry of a section. */
  section: string;
  words: string;
  fields: FieldDoc[];
}

/** What stands above a property. */
interface Above {
  section: string | null;
  words: string;
}

const path = 'src/machines/entries.ts';
const source = { path, text: readText(path) };

interface Property extends SyntaxNode {
  key: SyntaxNode & { name?: string; value?: string };
  value: SyntaxNode;
}

const propertiesOf = ({ properties }: SyntaxNode): Property[] => properties as Property[];
const nameOf = ({ key }: Property): string => key.name ?? key.value ?? '';

const plain = (docstring: string): string =>
  docstring
    .replace(/^\s*\* ?/gm, '')
    .replace(/\s+/g, ' ')
    .trim();

function aboveIn(gap: string): Above {
  const section = /^\s*\/\/ (.+)$/m.exec(gap)?.[1] ?? null;
  const words = /\/\*\*([\s\S]*?)\*\//.exec(gap)?.[1] ?? '';
  return { section, words: plain(words) };
}

/** By the name of each property of an object as it is written. */
function commentsIn(object: SyntaxNode): Map<string, Above & { value: SyntaxNode }> {
  let end = object.start;
  return new Map(
    propertiesOf(object).map((property) => {
      const above = aboveIn(source.text.slice(end, property.start));
      end = property.end;
      return [nameOf(property), { ...above, value: property.value }];
    }),
  );
}

/** The table of schemas in the source: the one object of which `call.created` is a property. */
function tableIn(root: SyntaxNode): SyntaxNode {
  const table = [...nodesOf(root)].find(
    (node) =>
      node.type === 'ObjectExpression' && propertiesOf(node).some((each) => nameOf(each) === 'call.created'),
  );
  if (!table) throw new Error(`${path} has no table of entries`);
  return table;
}

/** Fields that are written out in the entry's own schema. */
function fieldComments(schema: SyntaxNode): Map<string, string> {
  const object = [...nodesOf(schema)].find(({ type }) => type === 'ObjectExpression');
  const comments = object ? commentsIn(object) : new Map<string, Above>();
  return new Map([...comments].map(([name, { words }]) => [name, words]));
}

function fieldsOf(type: EntryType, comments: ReadonlyMap<string, string>): FieldDoc[] {
  const { properties = {}, required = [] } = z.toJSONSchema(entrySchemas[type]) as Schema;
  return Object.entries(properties).map(([name, schema]) => ({
    name,
    type: `${typeText(schema)}${isOptional(name, required) ? ', or absent' : ''}`,
    words: comments.get(name) || (sharedFields[name] ?? ''),
  }));
}

/** In the order of the source. */
export function entryDocs(): EntryDoc[] {
  let section = '';
  return [...commentsIn(tableIn(treeOf(source)))].map(([name, above]) => {
    const type = name as EntryType;
    section = above.section ?? section;
    return { type, section, words: above.words, fields: fieldsOf(type, fieldComments(above.value)) };
  });
}
