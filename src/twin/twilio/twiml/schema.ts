/**
 * Owns: which verbs, nouns and attributes TwiML has for voice.
 * Does not own: what they do (`verbs.ts`).
 *
 * Source: Twilio, TwiML for Programmable Voice, and the attributes of the twilio package's VoiceResponse.
 */
import type { XmlElement } from './xml.ts';

interface ElementRule {
  attributes: ReadonlySet<string>;
  /** Names of the elements that may be within. */
  nested: ReadonlySet<string>;
}

const rule = (attributes: string, nested = ''): ElementRule => ({
  attributes: new Set(attributes.split(' ')),
  nested: new Set(nested.split(' ')),
});

const stream = rule(
  'url name track statusCallback statusCallbackMethod connectorName audioFormat sampleRate',
  'Parameter',
);

const rules: Readonly<Record<string, ElementRule>> = {
  Response: rule('', 'Say Play Pause Gather Redirect Dial Connect Start Stop Record Hangup Reject'),
  Say: rule('language loop voice'),
  Play: rule('digits loop'),
  Pause: rule('length'),
  Gather: rule(
    'action actionOnEmptyResult bargeIn debug enhanced finishOnKey hints input language maxSpeechTime method numDigits ' +
      'partialResultCallback partialResultCallbackMethod profanityFilter speechModel speechTimeout timeout',
    'Say Play Pause',
  ),
  Redirect: rule('method'),
  Dial: rule(
    'action answerOnBridge callerId events hangupOnStar method passports record recordingConfigurationId ' +
      'recordingStatusCallback recordingStatusCallbackEvent recordingStatusCallbackMethod recordingTrack referMethod ' +
      'referUrl ringTone sequential timeLimit timeout trim',
    'Number',
  ),
  Number: rule(
    'amdStatusCallback amdStatusCallbackMethod byoc machineDetection machineDetectionSilenceTimeout ' +
      'machineDetectionSpeechEndThreshold machineDetectionSpeechThreshold machineDetectionTimeout method sendDigits ' +
      'statusCallback statusCallbackEvent statusCallbackMethod url',
  ),
  Connect: rule('action method', 'Stream'),
  Start: rule('action method', 'Stream'),
  Stop: rule('', 'Stream'),
  Stream: stream,
  Parameter: rule('name value'),
  Record: rule(
    'action finishOnKey maxLength method playBeep recordingConfigurationId recordingStatusCallback ' +
      'recordingStatusCallbackEvent recordingStatusCallbackMethod timeout transcribe transcribeCallback trim',
  ),
  Hangup: rule(''),
  Reject: rule('reason'),
};

/** What is in the element that TwiML does not have, one line each; what is named here is not run. */
export function findUnknown(element: XmlElement): string[] {
  const known = rules[element.name];
  if (known === undefined) return [`unknown element <${element.name}>`];
  const attributes = Object.keys(element.attributes).filter((name) => !known.attributes.has(name));
  const nested = element.elements.filter(({ name }) => !known.nested.has(name));
  return [
    ...attributes.map((name) => `unknown attribute ${name} of <${element.name}>`),
    ...nested.map(({ name }) => `<${name}> cannot be within <${element.name}>`),
    ...element.elements.filter(({ name }) => known.nested.has(name)).flatMap(findUnknown),
  ];
}

/** The elements within that TwiML allows there. */
export const knownElements = (element: XmlElement): XmlElement[] =>
  element.elements.filter(({ name }) => rules[element.name]?.nested.has(name) === true);
