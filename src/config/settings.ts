/**
 * Owns: the variables that move the bounds of a call. Each bound of `src/machines/settings.ts` has one: its name
 * in capitals, with an underscore before each capital (`longestCallMs` is `LONGEST_CALL_MS`).
 * Does not own: the bounds and their defaults; `fallback`, which is no bound and follows from `FALLBACK_TRANSFER_TO`.
 */
import { type Settings, settingsSchema } from '../machines/settings.ts';
import { defaulted, type Variable, wholeNumber } from './variable.ts';

type Bound = Exclude<keyof Settings, 'fallback'>;

const purposes: Record<Bound, string> = {
  longestCallMs: 'A call that lasts longer is ended with a farewell.',
  streamStartMs: 'How long an answered call may take to bring its audio stream.',
  reattachMs: 'How long a call without a stream waits for a new one before Twilio is asked about it.',
  askCarrierMs: 'Pause between two questions to Twilio about a call without a stream.',
  askCarrierTries: 'How many such questions are asked before the call is given up.',
  redirectMs: 'How long Twilio may take to confirm that it carries out new instructions.',
  streamTries: 'How many new streams in a row a call is given before it is given up.',
  streamSettledMs:
    'A stream that has carried the call for so long is a good one: new streams are counted anew.',
  starvedMs:
    'A stream that brings no audio of the caller is noticed after 1.5 s, and counts as dead after so long again.',
  modelConnectMs: 'How long a model session may take to open.',
  modelPingMs: 'Pause between pings to a model session: a dead one is noticed within twice this time.',
  rollOverMs: 'How long before a model session ends by itself the next one is opened.',
  modelBackoffMs: 'First pause before a new model session; it doubles with each failure.',
  modelBackoffLongestMs: 'Longest pause before a new model session.',
  modelTries: 'Model sessions tried in a row before the caller hears that the assistant cannot be reached.',
  longestTurnMs:
    'A caller who is said to speak for so long without a pause is given to another model session.',
  replyStartMs: "How long the model may take to begin a reply after the caller's last word.",
  replyTries: 'How often one reply is asked for before the session is replaced.',
  playbackStallMs: "A reply that makes no progress in the caller's ear for so long is given up.",
  holdingAfterMs: 'A caller who hears nobody for so long hears a soft sound.',
  holdingEveryMs: 'Pause before that sound is played again.',
  toolFillerMs: 'A tool that runs for so long is bridged by a sentence.',
  ringMs: 'How long the far end may ring when a caller is put through.',
  transferCheckMs: 'Pause between two questions to Twilio about a caller who was put through.',
  transferLimitMs: 'How long a caller who was put through may talk before the call counts as over.',
  farewellMs: 'How long the call waits for a farewell of the agent, and for its next words once it is heard.',
  endingMs: 'How long Twilio may take to confirm the end of a call.',
};

const { fallback: _, ...bounds } = settingsSchema.shape;
const names = Object.keys(bounds) as Bound[];
const defaults = settingsSchema.parse({});

/** `longestCallMs` -> `LONGEST_CALL_MS` */
const variableName = (setting: string): string =>
  setting.replace(/[A-Z]/g, (capital) => `_${capital}`).toUpperCase();

/** The variables by name, in the order of the bounds. */
export const settingVariables: Readonly<Record<string, Variable<number>>> = Object.fromEntries(
  names.map((name) => [
    variableName(name),
    defaulted(String(defaults[name]), {
      purpose: purposes[name],
      schema: wholeNumber.pipe(bounds[name].unwrap()),
    }),
  ]),
);

/** Bounds from the values of `settingVariables`, and what becomes of a caller whom the model cannot serve. */
export const settingsFrom = (
  values: Readonly<Record<string, number>>,
  fallback: Settings['fallback'],
): Settings =>
  settingsSchema.parse({
    ...Object.fromEntries(names.map((name) => [name, values[variableName(name)]])),
    fallback,
  });
