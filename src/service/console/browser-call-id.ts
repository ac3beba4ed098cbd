/** Owns: the ids of calls from a browser, in the form of the carrier's own (Twilio, CallSid: `CA` and 32 hex digits). */
import { randomBytes } from 'node:crypto';

/** In the place of the carrier's random part: its own ids begin so once in four billion. */
const prefix = 'CAb0b0b0b0';

export const mintCallId = (): string => prefix + randomBytes(12).toString('hex');

/** Whether the call was made from a browser, by any process. */
export const isBrowserCall = (carrierCallId: string): boolean => carrierCallId.startsWith(prefix);
