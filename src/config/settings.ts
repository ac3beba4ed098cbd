/**
 * Owns: the variables that move the bounds of a call. Each bound of `src/machines/settings.ts` has one: its name
 * in capitals, with an underscore before each capital (`longestCallMs` is `LONGEST_CALL_MS`).
 * Does not own: the bounds and their defaults.
 */
import { z } from 'zod';
import { type Settings, settingsSchema } from '../machines/settings.ts';
import { defaulted, type Variable } from './variable.ts';

type SettingName = keyof Settings;

const purposes: Record<SettingName, string> = {
  longestCallMs: 'A call that lasts longer is ended with a farewell.',
  streamStartMs: 'How long an answered call may take to bring its audio stream.',
  reattachMs: 'How long a call without a stream waits for a new one before Twilio is asked about it.',
  askCarrierMs: 'Pause between two questions to Twilio about a call without a stream.',
  askCarrierTries: 'How many such questions are asked before the call is given up.',
  streamTries: 'How many streams a call may use up before it is given up.',
  starvedMs: 'A stream that brings no audio of the caller for so long counts as dead.',
  modelConnectMs: 'How long a model session may take to open.',
  modelBackoffMs: 'First pause before a new model session; it doubles with each failure.',
  modelBackoffLongestMs: 'Longest pause before a new model session.',
  modelTries: 'Model sessions tried in a row before the caller hears an apology and the call ends.',
  replyStartMs: "How long the model may take to begin a reply after the caller's last word.",
  replyTries: 'How often one reply is asked for before the session is replaced.',
  playbackStallMs: "A reply that makes no progress in the caller's ear for so long is given up.",
  farewellMs: 'How long a farewell may take to be spoken and heard.',
  endingMs: 'How long Twilio may take to confirm the end of a call.',
};

const names = Object.keys(settingsSchema.shape) as SettingName[];
const defaults = settingsSchema.parse({});

const wholeNumber = z
  .string()
  .regex(/^[1-9]\d{0,14}$/, 'must be a whole number of at least 1 and at most 15 digits')
  .transform(Number);

/** `longestCallMs` -> `LONGEST_CALL_MS` */
const variableName = (setting: string): string =>
  setting.replace(/[A-Z]/g, (capital) => `_${capital}`).toUpperCase();

/** The variables by name, in the order of the bounds. */
export const settingVariables: Readonly<Record<string, Variable<number>>> = Object.fromEntries(
  names.map((name) => [
    variableName(name),
    defaulted(String(defaults[name]), {
      purpose: purposes[name],
      schema: wholeNumber.pipe(settingsSchema.shape[name].unwrap()),
    }),
  ]),
);

/** Bounds from the values of `settingVariables`. */
export const settingsFrom = (values: Readonly<Record<string, number>>): Settings =>
  settingsSchema.parse(Object.fromEntries(names.map((name) => [name, values[variableName(name)]])));
