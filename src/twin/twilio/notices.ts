/**
 * Owns: what Twilio's debugger would show: numbered errors and warnings.
 * Does not own: what raises them, errors of the REST API (`rest/rest-answer.ts`).
 *
 * Source: Twilio, Error and Warning Dictionary.
 */

export const noticeNames = {
  11100: 'Invalid URL format',
  11200: 'HTTP retrieval failure',
  11205: 'HTTP connection failure',
  11215: 'HTTP too many redirects',
  11216: 'HTTP invalid redirect',
  11750: 'TwiML response body too large',
  12100: 'Document parse failure',
  12200: 'Schema validation warning',
  12300: 'Invalid Content-Type',
  15003: 'Call Progress: Warning Response to Callback URL',
  21609: 'Invalid StatusCallback',
  21626: 'Invalid StatusCallbackEvent',
  31901: 'Connection Timeout',
  31902: 'Connection Refused',
  31903: 'Connection Broken Pipe',
  31904: 'Host Unreachable',
  31910: 'SSL Protocol Error',
  31920: 'Handshake Error',
  31921: 'Close Error',
  31922: 'URL Schema Unsupported',
  31923: 'Malformed URL',
  31924: 'Protocol Error',
  31930: 'Media Buffer Overflow',
  31931: 'Media Discarded',
  31941: 'Invalid Track Configuration',
  31950: 'Malformed Message',
  31951: 'Invalid Message',
} as const;

export type NoticeCode = keyof typeof noticeNames;

/** The codes with which a stream can end or fail to begin. */
export type StreamErrorCode = Extract<
  NoticeCode,
  31901 | 31902 | 31903 | 31904 | 31910 | 31920 | 31921 | 31922 | 31923 | 31924 | 31941
>;

const warnings: ReadonlySet<NoticeCode> = new Set([
  12200, 15003, 21609, 21626, 31930, 31931, 31950, 31951,
] as const);

export interface Notice {
  /** Milliseconds since the Unix epoch. */
  at: number;
  code: NoticeCode;
  level: 'error' | 'warning';
  name: string;
  detail: string;
}

export const makeNotice = (at: number, code: NoticeCode, detail: string): Notice => ({
  at,
  code,
  level: warnings.has(code) ? 'warning' : 'error',
  name: noticeNames[code],
  detail,
});

/** The words of a stream-error callback's `StreamError` (Twilio, TwiML Stream, statusCallback). */
export const streamErrorText = (code: StreamErrorCode): string => `Stream - Websocket - ${noticeNames[code]}`;
