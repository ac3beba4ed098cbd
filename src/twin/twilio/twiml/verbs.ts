/**
 * Owns: what each verb does, the small ones here.
 * Does not own: the order of verbs (`run.ts`), `<Connect>` and `<Dial>`, which have a file each.
 *
 * Sound that Twilio would synthesise or fetch is a tone of about the right length. `<Gather>` plays its prompts and
 * waits, without taking input; `<Start>`, `<Stop>` and `<Record>` are passed over.
 *
 * Source: Twilio, TwiML for Programmable Voice.
 */
import { speakingMs } from '../call/announcement.ts';
import { redirectAddress } from './action.ts';
import { connect } from './connect-verb.ts';
import { dial } from './dial-verb.ts';
import type { TwimlDocument } from './document.ts';
import { goOn, type Stage, type Step } from './stage.ts';
import type { XmlElement } from './xml.ts';

type VerbRunner = (verb: XmlElement, document: TwimlDocument, stage: Stage) => Promise<Step>;

const fileMs = 2_000;
const keyMs = 300;
const pausedKeyMs = 500;
/** `loop="0"` means for ever; a call would not last longer than this many rounds. */
const mostRounds = 1_000;

/** A number of seconds in an attribute; the default where it is missing or none. */
function secondsOf(text: string | undefined, otherwise: number): number {
  const seconds = Number(text ?? otherwise);
  return Number.isFinite(seconds) && seconds >= 0 ? seconds : otherwise;
}

async function repeat(verb: XmlElement, stage: Stage, round: () => Promise<void>): Promise<Step> {
  const rounds = secondsOf(verb.attributes.loop, 1) || mostRounds;
  for (let done = 0; done < Math.min(rounds, mostRounds) && !stage.signal.aborted; done += 1) await round();
  return goOn;
}

const say: VerbRunner = (verb, _document, stage) => {
  stage.answer();
  return repeat(verb, stage, () => stage.announce(verb.text, speakingMs(verb.text)));
};

const play: VerbRunner = (verb, _document, stage) => {
  stage.answer();
  const digits = verb.attributes.digits;
  if (digits === undefined) return repeat(verb, stage, () => stage.announce(verb.text, fileMs));
  const durationMs = [...digits].reduce((sum, key) => sum + (key === 'w' ? pausedKeyMs : keyMs), 0);
  return repeat(verb, stage, () => stage.wait(durationMs));
};

const pause: VerbRunner = async (verb, _document, stage) => {
  stage.answer();
  await stage.wait(secondsOf(verb.attributes.length, 1) * 1_000);
  return goOn;
};

const gather: VerbRunner = async (verb, document, stage) => {
  stage.answer();
  for (const prompt of verb.elements) {
    if (!stage.signal.aborted) await runVerb(prompt, document, stage);
  }
  await stage.wait(secondsOf(verb.attributes.timeout, 5) * 1_000);
  return goOn;
};

const redirect: VerbRunner = async (verb, document) => ({
  go: 'to',
  next: { from: 'url', ...redirectAddress(verb, document.url) },
});

const hangUp: VerbRunner = async () => ({ go: 'end', reason: 'hangUpVerb' });

const reject: VerbRunner = async (verb) => ({
  go: 'end',
  reason: 'rejected',
  status: verb.attributes.reason === 'busy' ? 'busy' : 'no-answer',
});

const passOver: VerbRunner = async (_verb, _document, stage) => {
  stage.answer();
  return goOn;
};

const runners: Readonly<Record<string, VerbRunner>> = {
  Say: say,
  Play: play,
  Pause: pause,
  Gather: gather,
  Redirect: redirect,
  Dial: dial,
  Connect: connect,
  Start: passOver,
  Stop: passOver,
  Record: passOver,
  Hangup: hangUp,
  Reject: reject,
};

export function runVerb(verb: XmlElement, document: TwimlDocument, stage: Stage): Promise<Step> {
  stage.noteVerb(verb.name);
  return (runners[verb.name] ?? passOver)(verb, document, stage);
}
