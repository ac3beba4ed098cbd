/**
 * Owns: the words in which the carrier is told what to do next (Twilio, TwiML for Voice).
 * Does not own: what it is told (`Answer`).
 *
 * The official builder writes them: its types know the attributes, and its own file, without the rest of the package,
 * loads in some 15 ms.
 *
 * Invariants:
 * W1. Pure: the same answer at the same addresses is the same text.
 * W2. At most 4,000 characters, which is what the carrier takes in a request as well (Twilio, Call resource, Twiml).
 */
import { createHash } from 'node:crypto';
import VoiceResponse from 'twilio/lib/twiml/VoiceResponse.js';
import type { Apology } from '../../machines/instruction.ts';
import type { Answer } from '../../runtime/ports/carrier.ts';
import { FixCallError } from '../../runtime/ports/errors.ts';
import {
  addressOf,
  connectionOverrides,
  newCallOverrides,
  type Route,
  routes,
  streamAddressOf,
} from './addresses.ts';
import { type Continuation, firstTime, queryAfter, queryAfterStream } from './continuation.ts';

export const mostTwimlCharacters = 4_000;

const apologies: Record<Apology, string> = {
  agentUnavailable: 'I am sorry, our assistant cannot be reached at the moment.',
  trouble: 'I am sorry, something went wrong on our side.',
};
const callLater = 'Please call again later.';
const puttingThrough = 'I am putting you through to somebody who can help.';
const busy = 'I am sorry, all lines are busy right now. Please call again in a few minutes.';

/** Where the answer is given from. */
export interface TwimlPlace {
  publicUrl: string;
  /** The instance that the stream's path names. */
  instance: string;
  /** TwiML outside this host for calls that cannot be taken; null says that the lines are busy. */
  fallbackUrl: string | null;
}

/**
 * @param asked what is known of the request that is answered
 * @throws FixCallError `configuration.invalid` where the addresses are too long for the carrier
 */
export function writeTwiml(answer: Answer, place: TwimlPlace, asked: Continuation = firstTime): string {
  const response = new VoiceResponse();
  if (answer.do === 'connect') connect(response, answer, place);
  else if (answer.do === 'transfer') transfer(response, answer, place);
  else if (answer.do === 'wait')
    askAgain(response, answer.pauseMs, addressAfter(routes.continue, place, asked));
  else if (answer.do === 'decline') decline(response, answer, place, asked);
  else hangUp(response, answer.do === 'apologise' ? `${apologies[answer.apology]} ${callLater}` : null);
  const text = response.toString();
  if (text.length <= mostTwimlCharacters) return text;
  throw new FixCallError(
    'configuration.invalid',
    `PUBLIC_URL, INSTANCE_ID and TWILIO_FALLBACK_URL are too long: TwiML of ${text.length} characters, ${mostTwimlCharacters} at most`,
  );
}

const wholeSeconds = (durationMs: number): number => Math.max(1, Math.ceil(durationMs / 1_000));

type Connect = Extract<Answer, { do: 'connect' }>;

function connect(response: VoiceResponse, answer: Connect, { publicUrl, instance }: TwimlPlace): void {
  if (answer.pauseMs > 0) response.pause({ length: wholeSeconds(answer.pauseMs) });
  const action = addressOf(publicUrl, routes.continue) + queryAfterStream(answer) + connectionOverrides;
  const stream = response.connect({ action, method: 'POST' }).stream({
    url: streamAddressOf(publicUrl, instance),
    name: nameOf(answer),
    statusCallback: addressOf(publicUrl, routes.streamStatus) + connectionOverrides,
    statusCallbackMethod: 'POST',
  });
  stream.parameter({ name: 'token', value: answer.token });
}

/**
 * Unique within the call (Twilio, Stream), also where the one before never came about and was the same attempt: each
 * request has a token of its own. A digest, for the carrier shows the name to more people than the token.
 */
function nameOf({ callId, attempt, token }: Connect): string {
  const mark = createHash('sha256').update(token).digest('hex').slice(0, 8);
  return `${callId}-${attempt}-${mark}`;
}

type Transfer = Extract<Answer, { do: 'transfer' }>;

/** The caller hears the far end ring; the stream is over. */
function transfer(response: VoiceResponse, answer: Transfer, { publicUrl }: TwimlPlace): void {
  if (answer.apology !== null) response.say(`${apologies[answer.apology]} ${puttingThrough}`);
  const action = addressOf(publicUrl, routes.dialed) + connectionOverrides;
  response.dial({ action, method: 'POST', timeout: wholeSeconds(answer.ringMs) }).number(answer.number);
}

function addressAfter(route: Route, { publicUrl }: TwimlPlace, asked: Continuation): string {
  const overrides = route === routes.voice ? newCallOverrides : connectionOverrides;
  return addressOf(publicUrl, route) + queryAfter(asked) + overrides;
}

function askAgain(response: VoiceResponse, pauseMs: number, address: string): void {
  if (pauseMs > 0) response.pause({ length: wholeSeconds(pauseMs) });
  response.redirect({ method: 'POST' }, address);
}

type Decline = Extract<Answer, { do: 'decline' }>;

/**
 * A call that is put off comes in as before, so that a balancer can try several processes for it. The fallback by GET: it
 * may be a file on a static host, which refuses POST.
 */
function decline(
  response: VoiceResponse,
  { againAfterMs }: Decline,
  place: TwimlPlace,
  asked: Continuation,
): void {
  const { fallbackUrl } = place;
  if (againAfterMs !== undefined) askAgain(response, againAfterMs, addressAfter(routes.voice, place, asked));
  else if (fallbackUrl === null) hangUp(response, busy);
  else response.redirect({ method: 'GET' }, fallbackUrl);
}

function hangUp(response: VoiceResponse, sentence: string | null): void {
  if (sentence !== null) response.say(sentence);
  response.hangup();
}
