/**
 * Owns: turning an answer into verbs to run, or into the number of Twilio's complaint about it.
 * Does not own: fetching it (`document-loader.ts`), running it (`run.ts`).
 *
 * Source: Twilio, Error Dictionary 11200, 11750, 12100, 12200, 12300.
 */
import type { HttpResponse } from '../http/http-message.ts';
import type { NoticeCode } from '../notices.ts';
import { findUnknown, knownElements } from './schema.ts';
import { parseXml, type XmlElement, XmlFault } from './xml.ts';

export interface TwimlDocument {
  verbs: XmlElement[];
  /** Where it came from: what relative URLs in it begin at. Null for TwiML given in a REST request. */
  url: string | null;
  /** Details of 12200, one for each thing that TwiML does not know. */
  warnings: string[];
}

/** An answer that cannot be run. */
export class TwimlFault extends Error {
  readonly code: NoticeCode;
  constructor(code: NoticeCode, detail: string) {
    super(detail);
    this.code = code;
  }
}

const mostBodyBytes = 64 * 1_024;
const contentTypes: ReadonlySet<string> = new Set(['text/xml', 'application/xml']);

/** @throws TwimlFault 12100 */
export function parseTwiml(text: string, url: string | null): TwimlDocument {
  const root = parseRoot(text);
  if (root.name !== 'Response') throw new TwimlFault(12100, `the root element is <${root.name}>`);
  return { verbs: knownElements(root), url, warnings: findUnknown(root) };
}

function parseRoot(text: string): XmlElement {
  try {
    return parseXml(text);
  } catch (error) {
    if (error instanceof XmlFault) throw new TwimlFault(12100, error.message);
    throw error;
  }
}

/** @throws TwimlFault 11200, 11750, 12100, 12300 */
export function readTwimlAnswer(response: HttpResponse, url: string): TwimlDocument {
  if (response.status >= 400) throw new TwimlFault(11200, `${response.status} from ${url}`);
  if (Buffer.byteLength(response.body) > mostBodyBytes) throw new TwimlFault(11750, url);
  const contentType = (response.headers['content-type'] ?? '').split(';')[0]?.trim().toLowerCase() ?? '';
  if (!contentTypes.has(contentType)) throw new TwimlFault(12300, `${contentType || 'none'} from ${url}`);
  return parseTwiml(response.body, url);
}
