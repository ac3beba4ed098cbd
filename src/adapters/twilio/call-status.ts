/**
 * Owns: the carrier's words for the state of a call (Twilio, Call resource, status values).
 * Does not own: what a state means to a call of ours (the call chart).
 */
import { z } from 'zod';
import type { CarrierStatus } from '../../machines/entries.ts';

const statuses = {
  queued: 'queued',
  initiated: 'initiated',
  ringing: 'ringing',
  'in-progress': 'in-progress',
  completed: 'completed',
  busy: 'busy',
  failed: 'failed',
  'no-answer': 'no-answer',
  canceled: 'canceled',
} as const satisfies { [Status in CarrierStatus]: Status };

export const callStatus = z.enum(statuses);

const over: ReadonlySet<CarrierStatus> = new Set(['completed', 'busy', 'failed', 'no-answer', 'canceled']);

/** Whether a call in this state has ended for good. */
export const isOver = (status: CarrierStatus): boolean => over.has(status);
