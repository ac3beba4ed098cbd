/**
 * Owns: what Twilio knows about a call, and the forms in which it tells it: webhook parameters and the REST resource.
 * Does not own: what changes it (`call.ts`).
 *
 * Source: Twilio, Call resource; TwiML, request parameters.
 */
import type { CallStatus } from './call-events.ts';

export type CallDirection = 'inbound' | 'outbound-api' | 'outbound-dial';

export interface CallRecord {
  readonly sid: string;
  readonly accountSid: string;
  readonly to: string;
  readonly from: string;
  readonly direction: CallDirection;
  readonly numberSid: string | null;
  status: CallStatus;
  /** All times in milliseconds since the Unix epoch. */
  readonly createdAt: number;
  updatedAt: number;
  answeredAt: number | null;
  endedAt: number | null;
}

const terminalStatuses: ReadonlySet<CallStatus> = new Set([
  'completed',
  'busy',
  'failed',
  'no-answer',
  'canceled',
] as const);

export const isTerminal = (status: CallStatus): boolean => terminalStatuses.has(status);

/** RFC 2822, as Twilio writes it. */
export const formatDate = (at: number): string => new Date(at).toUTCString().replace('GMT', '+0000');

/** From answer to end, whole seconds. */
export const durationSeconds = ({ answeredAt, endedAt }: CallRecord): number =>
  answeredAt === null || endedAt === null ? 0 : Math.round((endedAt - answeredAt) / 1_000);

const emptyPlace = { City: '', State: '', Zip: '', Country: 'US' };

function placesOf(...ends: string[]): Record<string, string> {
  const fields = ends.flatMap((end) =>
    Object.entries(emptyPlace).map(([field, value]) => [`${end}${field}`, value]),
  );
  return Object.fromEntries(fields) as Record<string, string>;
}

/** What every webhook about the call carries. */
export function standardParameters(record: CallRecord): Record<string, string> {
  const { sid, accountSid, to, from, direction, status } = record;
  return {
    AccountSid: accountSid,
    ApiVersion: '2010-04-01',
    CallSid: sid,
    CallStatus: status,
    Called: to,
    Caller: from,
    Direction: direction,
    From: from,
    To: to,
    ...placesOf('Called', 'Caller', 'From', 'To'),
  };
}

const dateOrNull = (at: number | null): string | null => (at === null ? null : formatDate(at));

export function callResource(record: CallRecord): Record<string, unknown> {
  const { sid, accountSid, to, from, direction, numberSid, status, createdAt, updatedAt } = record;
  const uri = `/2010-04-01/Accounts/${accountSid}/Calls/${sid}`;
  return {
    sid,
    account_sid: accountSid,
    annotation: null,
    answered_by: null,
    api_version: '2010-04-01',
    caller_name: null,
    date_created: formatDate(createdAt),
    date_updated: formatDate(updatedAt),
    direction,
    duration: record.endedAt === null ? null : String(durationSeconds(record)),
    end_time: dateOrNull(record.endedAt),
    forwarded_from: null,
    from,
    from_formatted: from,
    group_sid: null,
    parent_call_sid: null,
    phone_number_sid: numberSid,
    price: null,
    price_unit: 'USD',
    queue_time: '0',
    start_time: dateOrNull(record.answeredAt),
    status,
    subresource_uris: { recordings: `${uri}/Recordings.json`, streams: `${uri}/Streams.json` },
    to,
    to_formatted: to,
    trunk_sid: null,
    uri: `${uri}.json`,
  };
}
