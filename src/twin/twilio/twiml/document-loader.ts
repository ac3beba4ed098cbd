/**
 * Owns: getting the next document of a call: fetching it, and the fallback URL when that fails.
 * Does not own: running it (`run.ts`), the delivery itself (`webhooks/webhook-client.ts`).
 *
 * Invariants:
 * D1. A load ends in a document or in null, and null means that the fallback was tried where there is one.
 *
 * Source: Twilio, Availability and Reliability ("fallback URL"); Call resource, FallbackUrl.
 */
import type { NoticeCode } from '../notices.ts';
import type {
  WebhookClient,
  WebhookMethod,
  WebhookOrder,
  WebhookRecord,
} from '../webhooks/webhook-client.ts';
import { parseTwiml, readTwimlAnswer, type TwimlDocument, TwimlFault } from './document.ts';

/** Where the call goes on. */
export type NextDocument =
  | { from: 'url'; url: string; method: WebhookMethod; parameters?: Readonly<Record<string, string>> }
  /** TwiML that a REST request brought along. */
  | { from: 'request'; twiml: string };

export interface WebhookAddress {
  url: string;
  method: WebhookMethod;
}

export interface LoaderDesk {
  /** The parameters that every request about the call carries, as they are now. */
  standardParameters(): Record<string, string>;
  fallback(): WebhookAddress | null;
  noteDelivery(record: WebhookRecord): void;
  notice(code: NoticeCode, detail: string): void;
}

export class DocumentLoader {
  readonly #client: WebhookClient;
  readonly #desk: LoaderDesk;
  readonly #duplicates: 'same' | 'fresh' | undefined;

  constructor(client: WebhookClient, desk: LoaderDesk, duplicates: 'same' | 'fresh' | undefined) {
    this.#client = client;
    this.#desk = desk;
    this.#duplicates = duplicates;
  }

  async load(next: NextDocument): Promise<TwimlDocument | null> {
    try {
      return await this.#read(next);
    } catch (error) {
      if (!(error instanceof TwimlFault)) throw error;
      this.#desk.notice(error.code, error.message);
      return await this.#loadFallback(next, error.code);
    }
  }

  /** Requests an address for its effect alone: the answer is not run. */
  async notify(address: WebhookAddress, parameters: Readonly<Record<string, string>>): Promise<void> {
    await this.#deliver({ ...address, parameters: { ...this.#desk.standardParameters(), ...parameters } });
  }

  async #read(next: NextDocument): Promise<TwimlDocument> {
    if (next.from === 'request') return parseTwiml(next.twiml, null);
    const { url, method, parameters } = next;
    const order = { url, method, parameters: { ...this.#desk.standardParameters(), ...parameters } };
    const { outcome } = await this.#deliver(order);
    if (outcome.kind === 'failed') throw new TwimlFault(outcome.code, outcome.detail);
    return readTwimlAnswer(outcome.response, outcome.url);
  }

  async #loadFallback(failed: NextDocument, code: NoticeCode): Promise<TwimlDocument | null> {
    const fallback = this.#desk.fallback();
    if (fallback === null) return null;
    const ErrorUrl = failed.from === 'url' ? failed.url.split('#')[0] : undefined;
    const parameters = { ErrorCode: String(code), ...(ErrorUrl !== undefined && { ErrorUrl }) };
    try {
      return await this.#read({ from: 'url', ...fallback, parameters });
    } catch (error) {
      if (!(error instanceof TwimlFault)) throw error;
      this.#desk.notice(error.code, error.message);
      return null;
    }
  }

  async #deliver(order: WebhookOrder): Promise<WebhookRecord> {
    const token = this.#client.drawToken();
    const delivery = this.#client.deliver(order, token);
    if (this.#duplicates !== undefined) {
      const again = this.#client.deliver(order, this.#duplicates === 'same' ? token : undefined);
      void again.then((record) => this.#keep(record));
    }
    return this.#keep(await delivery);
  }

  #keep(record: WebhookRecord): WebhookRecord {
    this.#desk.noteDelivery(record);
    return record;
  }
}
