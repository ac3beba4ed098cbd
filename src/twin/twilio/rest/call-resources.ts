/**
 * Owns: the REST API's view of calls: create, fetch, list, update, and the little that there is of their recordings
 * and one-way streams.
 * Does not own: making calls (`twin.ts`), errors' form (`rest-answer.ts`).
 *
 * Source: Twilio, Call resource; Call Recording resource; Stream resource.
 */
import type { Random } from '../../random.ts';
import type { CallEndReason, CallStatus } from '../call/call-events.ts';
import { type CallRecord, callResource, formatDate } from '../call/call-record.ts';
import type { HttpResponse } from '../http/http-message.ts';
import { makeSid, type SidPrefix } from '../identifiers.ts';
import type { NoticeCode } from '../notices.ts';
import type { NextDocument, WebhookAddress } from '../twiml/document-loader.ts';
import { isStatusEvent, type StatusEvent, type StatusSubscription } from '../webhooks/status-callbacks.ts';
import type { WebhookMethod } from '../webhooks/webhook-client.ts';
import { answerJson, answerPage, RestFault, type RestRequest } from './rest-answer.ts';

/** A call as far as the REST API touches it. */
export interface ControlledCall {
  readonly record: CallRecord;
  update(next: NextDocument, fallback: WebhookAddress | null): void;
  end(reason: CallEndReason, status?: CallStatus): void;
  notice(code: NoticeCode, detail: string): void;
}

export interface OutgoingOrder {
  to: string;
  from: string;
  first: NextDocument;
  fallback: WebhookAddress | null;
  subscription: StatusSubscription | null;
  timeoutMs: number;
  timeLimitMs: number;
}

export interface CallDirectory {
  find(sid: string): ControlledCall | null;
  /** Newest first. */
  list(): readonly ControlledCall[];
  /** @throws RestFault where `from` is no number of the account */
  create(order: OutgoingOrder): ControlledCall;
}

const mostTwimlCharacters = 4_000;
const defaultTimeoutSeconds = 60;
const mostTimeoutSeconds = 600;
const timeoutSlackSeconds = 5;
const defaultTimeLimitSeconds = 4 * 60 * 60;
const mostSubresources = 10_000;

const methodFrom = (text: string | null): WebhookMethod => (text?.toUpperCase() === 'GET' ? 'GET' : 'POST');

function addressFrom(parameters: URLSearchParams, url: string, method: string): WebhookAddress | null {
  const value = parameters.get(url);
  return value === null || value === '' ? null : { url: value, method: methodFrom(parameters.get(method)) };
}

/** Where the request says that the call goes on; null where it does not. */
function nextFrom(parameters: URLSearchParams): NextDocument | null {
  const address = addressFrom(parameters, 'Url', 'Method');
  if (address !== null) {
    if (!/^https?:/.test(address.url) || !URL.canParse(address.url)) throw new RestFault(21205);
    return { from: 'url', ...address };
  }
  const twiml = parameters.get('Twiml');
  if (twiml === null) return null;
  if (twiml.length > mostTwimlCharacters) throw new RestFault(32018);
  return { from: 'request', twiml };
}

const secondsFrom = (text: string | null, otherwise: number, most: number): number =>
  Math.min(Math.max(1, Number(text) || otherwise), most);

/** Names of events that there are not; Twilio then makes the call and sends no callbacks. */
const unknownEvents = (parameters: URLSearchParams): string[] =>
  parameters.getAll('StatusCallbackEvent').filter((event) => !isStatusEvent(event));

function subscriptionFrom(parameters: URLSearchParams): StatusSubscription | null {
  const address = addressFrom(parameters, 'StatusCallback', 'StatusCallbackMethod');
  if (address === null || unknownEvents(parameters).length > 0 || !URL.canParse(address.url)) return null;
  const events = parameters.getAll('StatusCallbackEvent').filter(isStatusEvent);
  return { ...address, events: new Set<StatusEvent>(events.length === 0 ? ['completed'] : events) };
}

export class CallResources {
  readonly #calls: CallDirectory;
  readonly #random: Random;
  readonly #now: () => number;
  /** Recordings and one-way streams by SID, the oldest forgotten beyond 10,000. */
  readonly #subresources = new Map<string, Record<string, unknown>>();

  constructor(calls: CallDirectory, random: Random, now: () => number) {
    this.#calls = calls;
    this.#random = random;
    this.#now = now;
  }

  create({ parameters }: RestRequest): HttpResponse {
    const first = nextFrom(parameters);
    if (first === null) throw new RestFault(21205);
    const to = parameters.get('To') ?? '';
    if (!/^(\+\d{5,15}|client:.+|sip:.+)$/.test(to)) throw new RestFault(21211);
    const timeoutSeconds = secondsFrom(parameters.get('Timeout'), defaultTimeoutSeconds, mostTimeoutSeconds);
    const timeLimitSeconds = secondsFrom(
      parameters.get('TimeLimit'),
      defaultTimeLimitSeconds,
      defaultTimeLimitSeconds,
    );
    const call = this.#calls.create({
      to,
      from: parameters.get('From') ?? '',
      first,
      fallback: addressFrom(parameters, 'FallbackUrl', 'FallbackMethod'),
      subscription: subscriptionFrom(parameters),
      timeoutMs: (timeoutSeconds + timeoutSlackSeconds) * 1_000,
      timeLimitMs: timeLimitSeconds * 1_000,
    });
    this.#noticeCallbackFaults(call, parameters);
    return answerJson(201, callResource(call.record));
  }

  fetch({ names }: RestRequest): HttpResponse {
    return answerJson(200, callResource(this.#find(names[0]).record));
  }

  list(request: RestRequest): HttpResponse {
    const { parameters } = request;
    const isWanted = ({ status, to, from }: CallRecord): boolean =>
      status === (parameters.get('Status') ?? status) &&
      to === (parameters.get('To') ?? to) &&
      from === (parameters.get('From') ?? from);
    const records = this.#calls.list().map(({ record }) => record);
    return answerPage(request, 'calls', records.filter(isWanted).map(callResource));
  }

  update({ names, parameters }: RestRequest): HttpResponse {
    const call = this.#find(names[0]);
    const status = parameters.get('Status');
    if (status === 'completed' || status === 'canceled') endByRequest(call, status);
    else this.#redirect(call, parameters);
    return answerJson(200, callResource(call.record));
  }

  createRecording({ names, parameters, path }: RestRequest): HttpResponse {
    const call = this.#find(names[0]);
    if (call.record.status !== 'in-progress') throw new RestFault(21220);
    const channels = parameters.get('RecordingChannels') === 'dual' ? 2 : 1;
    const track = parameters.get('RecordingTrack') ?? 'both';
    return this.#addSubresource(call, path, 'RE', { channels, track, source: 'StartCallRecordingAPI' });
  }

  listRecordings(request: RestRequest): HttpResponse {
    const callSid = this.#find(request.names[0]).record.sid;
    const recordings = [...this.#subresources.values()].filter(
      (resource) => resource.call_sid === callSid && String(resource.sid).startsWith('RE'),
    );
    return answerPage(request, 'recordings', recordings);
  }

  createStream({ names, parameters, path }: RestRequest): HttpResponse {
    const call = this.#find(names[0]);
    if (call.record.status !== 'in-progress') throw new RestFault(21220);
    return this.#addSubresource(call, path, 'MZ', { name: parameters.get('Name') });
  }

  /** Also of a stream under `<Connect>`: it is none of those that the API knows. */
  updateSubresource({ names: [callSid = '', sid = ''], parameters }: RestRequest): HttpResponse {
    const found = this.#subresources.get(sid === 'Twilio.CURRENT' ? this.#currentRecording(callSid) : sid);
    if (found === undefined || found.call_sid !== callSid) throw new RestFault(20404);
    Object.assign(found, { status: parameters.get('Status'), date_updated: formatDate(this.#now()) });
    return answerJson(200, found);
  }

  #currentRecording(callSid: string): string {
    const ofCall = [...this.#subresources.values()].filter((resource) => resource.call_sid === callSid);
    return String(ofCall.findLast(({ sid }) => String(sid).startsWith('RE'))?.sid);
  }

  #find(sid: string | undefined): ControlledCall {
    const call = this.#calls.find(sid ?? '');
    if (call === null) throw new RestFault(20404);
    return call;
  }

  #redirect(call: ControlledCall, parameters: URLSearchParams): void {
    const next = nextFrom(parameters);
    if (next === null) return;
    if (call.record.status !== 'in-progress') throw new RestFault(21220);
    call.update(next, addressFrom(parameters, 'FallbackUrl', 'FallbackMethod'));
  }

  #noticeCallbackFaults(call: ControlledCall, parameters: URLSearchParams): void {
    for (const event of unknownEvents(parameters)) call.notice(21626, event);
    const url = parameters.get('StatusCallback') ?? '';
    if (url !== '' && !URL.canParse(url)) call.notice(21609, url);
  }

  #addSubresource(
    { record }: ControlledCall,
    path: string,
    prefix: SidPrefix,
    fields: Record<string, unknown>,
  ): HttpResponse {
    const sid = makeSid(this.#random, prefix);
    const at = formatDate(this.#now());
    const resource = {
      ...fields,
      sid,
      account_sid: record.accountSid,
      call_sid: record.sid,
      status: 'in-progress',
      date_created: at,
      date_updated: at,
      uri: path.replace(/\.json$/, `/${sid}.json`),
    };
    this.#subresources.set(sid, resource);
    const oldest = this.#subresources.keys().next();
    if (this.#subresources.size > mostSubresources && !oldest.done) this.#subresources.delete(oldest.value);
    return answerJson(201, resource);
  }
}

const waiting: ReadonlySet<CallStatus> = new Set(['queued', 'initiated', 'ringing'] as const);

/** `completed` ends any call that is not over, `canceled` only one that was not answered yet. */
function endByRequest(call: ControlledCall, status: 'completed' | 'canceled'): void {
  const isWaiting = waiting.has(call.record.status);
  if (!isWaiting && (status === 'canceled' || call.record.status !== 'in-progress'))
    throw new RestFault(21220);
  call.end('api', isWaiting ? 'canceled' : 'completed');
}
