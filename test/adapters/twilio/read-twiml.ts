/** Owns: reading TwiML back into a tree: elements, attributes and texts, with the five entities and references. */

export interface Element {
  name: string;
  attributes: Record<string, string>;
  children: Element[];
  text: string;
}

const entities: Record<string, string> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

const unescapeText = (text: string): string =>
  text.replace(/&(#x[0-9A-Fa-f]+|\w+);/g, (_, name: string) => {
    if (name.startsWith('#x')) return String.fromCodePoint(Number.parseInt(name.slice(2), 16));
    const character = entities[name];
    if (character === undefined) throw new Error(`No such entity: ${name}`);
    return character;
  });

/** @throws Error where the text is not well-formed */
export function readTwiml(text: string): Element {
  const root: Element = { name: '', attributes: {}, children: [], text: '' };
  const open = [root];
  const token = /<\?[^?]*\?>|<\/(\w+)>|<(\w+)((?:\s+\w+="[^"<]*")*)\s*(\/?)>|([^<]+)/gy;
  while (token.lastIndex < text.length) {
    const at = token.lastIndex;
    const match = token.exec(text);
    if (match === null) throw new Error(`Not well-formed at ${at}: ${text.slice(at, at + 40)}`);
    const [, closed, opened, attributes = '', empty, content] = match;
    const parent = open.at(-1)!;
    if (content !== undefined) parent.text += unescapeText(content);
    if (closed !== undefined && open.pop()?.name !== closed) throw new Error(`Unexpected </${closed}>`);
    if (opened === undefined) continue;
    const pairs = [...attributes.matchAll(/(\w+)="([^"]*)"/g)];
    const element: Element = {
      name: opened,
      attributes: Object.fromEntries(pairs.map(([, name = '', value = '']) => [name, unescapeText(value)])),
      children: [],
      text: '',
    };
    parent.children.push(element);
    if (empty === '') open.push(element);
  }
  if (open.length > 1 || root.children.length !== 1) throw new Error('Not one whole document');
  return root.children[0]!;
}
