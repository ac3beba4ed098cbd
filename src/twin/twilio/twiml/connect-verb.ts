/**
 * Owns: `<Connect><Stream>`: a stream, and what Twilio does when it has ended.
 * Does not own: the stream (`stream/media-stream.ts`).
 *
 * Invariants:
 * CV1. Without an interruption the verb ends by its policy: with the action where there is one, else the next verb; by
 *     waiting for an interruption; or with the end of the call.
 *
 * Source: Twilio, TwiML Connect and Stream; Error Dictionary 31941; public measurements of live calls.
 */
import type { AfterStream } from '../settings.ts';
import type { StreamEnd } from '../stream/media-stream.ts';
import { addressOf } from './action.ts';
import type { TwimlDocument } from './document.ts';
import { goOn, type Stage, type Step, type StreamRequest } from './stage.ts';
import type { XmlElement } from './xml.ts';

const mostParameterCharacters = 500;

export async function connect(verb: XmlElement, document: TwimlDocument, stage: Stage): Promise<Step> {
  stage.answer();
  const stream = verb.elements.find(({ name }) => name === 'Stream');
  if (stream === undefined) return goOn;
  const track = stream.attributes.track ?? 'inbound_track';
  if (track !== 'inbound_track') {
    stage.notice(31941, track);
    return { go: 'end', reason: 'trackInvalid' };
  }
  await stage.wait(stage.delays.handshakeMs);
  if (stage.signal.aborted) return goOn;
  const end = await stage.stream(requestOf(stream, document, stage));
  return await goAfter(end, verb, document, stage);
}

function requestOf(stream: XmlElement, document: TwimlDocument, stage: Stage): StreamRequest {
  return {
    url: stream.attributes.url ?? '',
    base: document.url,
    name: stream.attributes.name ?? null,
    parameters: parametersOf(stream, stage),
    subscription: addressOf(stream, document.url, 'statusCallback'),
  };
}

function parametersOf(stream: XmlElement, stage: Stage): Record<string, string> {
  const parameters: Record<string, string> = {};
  for (const { attributes } of stream.elements) {
    const { name = '', value = '' } = attributes;
    if (name.length + value.length < mostParameterCharacters) parameters[name] = value;
    else stage.notice(12200, `the parameter ${name} has ${mostParameterCharacters} characters or more`);
  }
  return parameters;
}

async function goAfter(
  end: StreamEnd,
  verb: XmlElement,
  document: TwimlDocument,
  stage: Stage,
): Promise<Step> {
  const action = addressOf(verb, document.url);
  if (stage.signal.aborted) {
    if (action !== null) stage.noteInterrupted(action, {});
    return goOn;
  }
  const policy: AfterStream = end.by === 'loss' ? stage.policy.lost : stage.policy.closed;
  if (policy === 'end') return { go: 'end', reason: 'streamPolicy' };
  await stage.wait(policy === 'hold' ? Number.POSITIVE_INFINITY : stage.delays.continuationMs);
  return action === null ? goOn : { go: 'to', next: { from: 'url', ...action } };
}
