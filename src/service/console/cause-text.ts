/** Owns: what codes and names of causes mean, in words that an operator understands. */

/** RFC 6455 section 7.4.1; 3000 and above as the model's service uses them. */
const closeCodes: Readonly<Record<number, string>> = {
  1000: 'ended by the far side',
  1001: 'the far side went away',
  1005: 'closed without a reason',
  1006: 'the connection broke without a goodbye',
  1009: 'a message was too big',
  1011: 'an error at the far side',
  1012: 'the far side restarts',
  1013: 'the far side is overloaded',
  3000: 'not authorised',
  4000: 'refused by the far side',
  4004: 'not found by the far side',
};

const httpStatuses: Readonly<Record<number, string>> = {
  401: 'the key is not valid',
  403: 'not allowed with this key',
  404: 'not found',
  429: 'too many requests',
  500: 'an error at the far side',
  503: 'the service is not available',
};

/** `1006: the connection broke without a goodbye`. */
export function closeCodeText(code: number): string {
  const meaning = code < 1_000 ? httpStatuses[code] : closeCodes[code];
  return meaning === undefined ? String(code) : `${code}: ${meaning}`;
}

/** A cause that is named after its code adds nothing to it. */
export function closingText(code: number | null, cause: string): string {
  if (code === null) return cause;
  return cause.endsWith(`.${code}`) ? closeCodeText(code) : `${cause} (${closeCodeText(code)})`;
}

const endReasons: Readonly<Record<string, string>> = {
  'transfer.unknown': 'what became of the transfer was never told',
  'stream.lost': 'the caller’s audio was lost and did not come back',
  'model.refused': 'the model refused for good',
  'model.unavailable': 'the model could not be reached',
  'journal.lost': 'the journal could not be written',
  'carrier.failed': 'the carrier could not carry the call',
};

/** `stream.lost: the caller’s audio was lost and did not come back`. */
export function endReasonText(reason: string): string {
  const meaning = endReasons[reason];
  return meaning === undefined ? reason : `${reason}: ${meaning}`;
}

export const secondsText = (ms: number): string => `${(ms / 1_000).toFixed(1)} s`;
