/**
 * Owns: whether a request was signed by the carrier (Twilio, Webhooks security).
 * Does not own: what is done with a request that was not.
 *
 * Invariants:
 * I10. The address is made of PUBLIC_URL and the request's raw path and query, never of its Host header. While the
 *      public URL is not known, nothing is signed.
 */
import { validateRequest, validateRequestWithBody } from 'twilio/lib/webhooks/webhooks.js';
import { normalizePublicUrl, socketAddressOf } from './addresses.ts';

/** A request as Node's http module has it; `url` is the raw path and query. */
export interface SignedRequest {
  url?: string | undefined;
  headers: Record<string, string | string[] | undefined>;
}

/** A form as it was decoded: untrimmed, a repeated name as an array. */
export type FormFields = Record<string, unknown>;

export class Signature {
  readonly #authToken: string;
  readonly #publicUrl: () => string | null;

  /**
   * @param authToken the account's primary auth token: no other key signs
   * @param publicUrl null while it is not known yet
   */
  constructor(authToken: string, publicUrl: () => string | null) {
    this.#authToken = authToken;
    this.#publicUrl = publicUrl;
  }

  /** A form body: every parameter is signed. */
  signsForm(request: SignedRequest, fields: FormFields): boolean {
    return this.#check(request, addressFrom, (header, address) =>
      validateRequest(this.#authToken, header, address, fields),
    );
  }

  /** A JSON body: the address is signed, and holds the body's SHA-256 as `bodySHA256`. */
  signsJson(request: SignedRequest, body: string): boolean {
    return this.#check(request, addressFrom, (header, address) =>
      validateRequestWithBody(this.#authToken, header, address, body),
    );
  }

  /** The upgrade of a media stream: the `wss:` address of the TwiML is signed. */
  signsUpgrade(request: SignedRequest): boolean {
    return this.#check(request, socketAddressOf, (header, address) =>
      validateRequest(this.#authToken, header, address, {}),
    );
  }

  #check(
    { url, headers }: SignedRequest,
    addressOfPath: (publicUrl: string, path: string) => string,
    validate: (header: string, address: string) => boolean,
  ): boolean {
    const publicUrl = this.#publicUrl();
    const header = headers['x-twilio-signature'];
    if (publicUrl === null || typeof header !== 'string' || !url?.startsWith('/')) return false;
    const address = addressOfPath(publicUrl, url);
    return URL.canParse(address) && validate(header, address);
  }
}

const addressFrom = (publicUrl: string, path: string): string => normalizePublicUrl(publicUrl) + path;
