/**
 * Owns: `<Dial>` to a number: how it went, and what Twilio does then.
 * Does not own: the far end, which a script plays (`call/call-order.ts`).
 *
 * Source: Twilio, TwiML Dial, action ("DialCallStatus").
 */
import { addressOf } from './action.ts';
import type { TwimlDocument } from './document.ts';
import { type DialResult, goOn, type Stage, type Step } from './stage.ts';
import type { XmlElement } from './xml.ts';

const defaultTimeoutSeconds = 30;

export async function dial(verb: XmlElement, document: TwimlDocument, stage: Stage): Promise<Step> {
  stage.answer();
  const number = verb.elements.find(({ name }) => name === 'Number')?.text ?? verb.text;
  const timeoutSeconds = Number(verb.attributes.timeout ?? defaultTimeoutSeconds) || defaultTimeoutSeconds;
  const result = await stage.dial(number, timeoutSeconds * 1_000);
  const action = addressOf(verb, document.url);
  if (action === null) return goOn;
  const parameters = parametersOf(result);
  if (!stage.signal.aborted) return { go: 'to', next: { from: 'url', ...action, parameters } };
  stage.noteInterrupted(action, parameters);
  return goOn;
}

const parametersOf = ({ sid, status, durationSeconds }: DialResult): Record<string, string> => ({
  DialCallSid: sid,
  DialCallStatus: status,
  ...(status === 'completed' && { DialCallDuration: String(durationSeconds) }),
});
