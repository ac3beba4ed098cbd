/**
 * Owns: reading a small XML document into elements and text.
 * Does not own: what the elements mean, limits on the size of the text (`document.ts`).
 *
 * Invariants:
 * X1. Any text either gives one root element or throws `XmlFault`; nothing is fetched, no entity is defined.
 * X2. Time is linear in the length of the text, depth at most 32.
 *
 * Source: Extensible Markup Language (XML) 1.0, without document type declarations.
 */

export interface XmlElement {
  name: string;
  attributes: Readonly<Record<string, string>>;
  elements: XmlElement[];
  /** The text directly within the element, with its outer white space cut off. */
  text: string;
}

/** The text is not a well-formed document. */
export class XmlFault extends Error {}

const deepestNesting = 32;
const namePattern = /[A-Za-z_][\w.:-]*/y;
const attributePattern = /\s+([A-Za-z_][\w.:-]*)\s*=\s*(?:"([^"<]*)"|'([^'<]*)')/y;
const tagEndPattern = /\s*(\/?)>/y;
const closingPattern = /<\/([A-Za-z_][\w.:-]*)\s*>/y;
const namedEntities: Readonly<Record<string, string>> = {
  amp: '&',
  lt: '<',
  gt: '>',
  quot: '"',
  apos: "'",
};

/** @throws XmlFault */
export const parseXml = (text: string): XmlElement => new XmlReader(text).readDocument();

function decodeEntity(entity: string, reference: string): string {
  const named = namedEntities[reference];
  if (named !== undefined) return named;
  const digits = /^#(?:x([0-9a-fA-F]{1,6})|(\d{1,7}))$/.exec(reference);
  const point = digits === null ? -1 : Number.parseInt(digits[1] ?? digits[2] ?? '', digits[1] ? 16 : 10);
  if (point < 0 || point > 0x10_ffff) throw new XmlFault(`unknown entity ${entity}`);
  return String.fromCodePoint(point);
}

function decodeText(text: string): string {
  if (!text.includes('&')) return text;
  return text.replace(/&([^;&\s]{0,10})(;?)/g, (entity, reference: string, end: string) => {
    if (end === '') throw new XmlFault('an ampersand begins no entity');
    return decodeEntity(entity, reference);
  });
}

class XmlReader {
  readonly #text: string;
  #place = 0;

  constructor(text: string) {
    this.#text = text.startsWith('\u{feff}') ? text.slice(1) : text;
  }

  readDocument(): XmlElement {
    if (this.#text.startsWith('<?xml')) this.#skipPast('?>');
    this.#skipBetweenElements();
    const root = this.#readElement(1);
    this.#skipBetweenElements();
    if (this.#place < this.#text.length) throw new XmlFault('there is more than one root element');
    return root;
  }

  #readElement(depth: number): XmlElement {
    if (depth > deepestNesting) throw new XmlFault('elements are nested too deeply');
    if (this.#text[this.#place] !== '<') throw new XmlFault('an element is missing');
    this.#place += 1;
    const name = this.#match(namePattern)?.[0];
    if (name === undefined) throw new XmlFault('an element has no name');
    const attributes = this.#readAttributes();
    const end = this.#match(tagEndPattern);
    if (end === null) throw new XmlFault(`the tag <${name}> does not end`);
    const element: XmlElement = { name, attributes, elements: [], text: '' };
    if (end[1] === '') this.#readContent(element, depth);
    return element;
  }

  #readAttributes(): Record<string, string> {
    const attributes: Record<string, string> = {};
    for (let found = this.#match(attributePattern); found; found = this.#match(attributePattern)) {
      const name = found[1] ?? '';
      if (Object.hasOwn(attributes, name)) throw new XmlFault(`the attribute ${name} is there twice`);
      attributes[name] = decodeText(found[2] ?? found[3] ?? '');
    }
    return attributes;
  }

  #readContent(element: XmlElement, depth: number): void {
    const pieces: string[] = [];
    for (;;) {
      pieces.push(this.#readText());
      if (this.#place >= this.#text.length) throw new XmlFault(`<${element.name}> is not closed`);
      if (this.#startsWith('</')) break;
      if (this.#startsWith('<![CDATA[')) pieces.push(this.#readCharacterData());
      else if (this.#startsWith('<!--')) this.#skipPast('-->');
      else if (this.#startsWith('<?')) this.#skipPast('?>');
      else element.elements.push(this.#readElement(depth + 1));
    }
    const closing = this.#match(closingPattern)?.[1];
    if (closing !== element.name) throw new XmlFault(`<${element.name}> is closed by </${closing ?? ''}>`);
    element.text = pieces.join('').trim();
  }

  #readText(): string {
    const next = this.#text.indexOf('<', this.#place);
    const end = next === -1 ? this.#text.length : next;
    const text = this.#text.slice(this.#place, end);
    this.#place = end;
    return decodeText(text);
  }

  #readCharacterData(): string {
    const start = this.#place + '<![CDATA['.length;
    this.#skipPast(']]>');
    return this.#text.slice(start, this.#place - ']]>'.length);
  }

  /** White space, comments and instructions around the root element. */
  #skipBetweenElements(): void {
    for (;;) {
      this.#match(/\s*/y);
      if (this.#startsWith('<!--')) this.#skipPast('-->');
      else if (this.#startsWith('<?')) this.#skipPast('?>');
      else return;
    }
  }

  #skipPast(end: string): void {
    const found = this.#text.indexOf(end, this.#place);
    if (found === -1) throw new XmlFault(`${end} is missing`);
    this.#place = found + end.length;
  }

  #startsWith(text: string): boolean {
    return this.#text.startsWith(text, this.#place);
  }

  /** Matches a sticky pattern here and steps over what it matched. */
  #match(pattern: RegExp): RegExpExecArray | null {
    pattern.lastIndex = this.#place;
    const found = pattern.exec(this.#text);
    if (found !== null) this.#place = pattern.lastIndex;
    return found;
  }
}
