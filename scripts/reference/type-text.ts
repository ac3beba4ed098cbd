/** Owns: what a field's schema (JSON Schema, as zod writes it) is called in the reference. */

export interface Schema {
  type?: string | readonly string[];
  enum?: readonly string[];
  anyOf?: readonly Schema[];
  items?: Schema;
  properties?: Readonly<Record<string, Schema>>;
  required?: readonly string[];
}

/** An object with more properties is described by its words. */
const mostNamed = 6;

const names: Readonly<Record<string, string>> = {
  string: 'text',
  integer: 'whole number',
  number: 'number',
  boolean: 'true or false',
  null: 'null',
};

export const isOptional = (name: string, required: readonly string[]): boolean => !required.includes(name);

export function typeText(schema: Schema): string {
  if (schema.enum) return schema.enum.map((value) => `\`${value}\``).join(', ');
  if (schema.anyOf) return [...new Set(schema.anyOf.map(typeText))].join(' or ');
  if (schema.items) return `list of ${typeText(schema.items)}`;
  if (schema.type === 'object') return objectText(Object.keys(schema.properties ?? {}));
  return (
    [schema.type ?? []]
      .flat()
      .map((type) => names[type] ?? type)
      .join(' or ') || 'JSON'
  );
}

/** What holds a size and nothing else stands for content that lies beside the log. */
function objectText(properties: readonly string[]): string {
  if (properties.join() === 'bytes') return 'payload';
  const named = properties.length > 0 && properties.length <= mostNamed;
  return named ? `object of ${properties.map((name) => `\`${name}\``).join(', ')}` : 'object';
}
