/** Owns: what a test of an agent imports from `holdfast/twin`. */
export { type CallToTheService, startTwin, type Twin, type TwinPlan } from './both-halves.ts';
export type { CallerManners, CallerScript, CallerStep, Cue } from './caller/script.ts';
export { listSpeech, type SpeechLine } from './caller/speech.ts';
export type { Brain } from './openai/brain.ts';
export { echoBrain } from './openai/echo-brain.ts';
export type { Fault, FaultPlan } from './openai/faults.ts';
export type { Script } from './openai/script.ts';
export { scriptedBrain } from './openai/scripted-brain.ts';
export { type HeardSegment, readSegments } from './openai/segments.ts';
export type { TwinSession } from './openai/twin-session.ts';
export type { CallEvent } from './twilio/call/call-events.ts';
export type { CallEnding, CallHandle } from './twilio/call/call-handle.ts';
export type { CallFaults, StreamFault } from './twilio/faults.ts';
