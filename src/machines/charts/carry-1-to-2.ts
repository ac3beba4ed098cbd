/**
 * Owns: how a call of chart 1 goes on in chart 2. Whoever claims it has nothing of it but the log, so the chart asks for
 * a session, a stream and the outcomes of tools anew; what was said, heard and decided is kept.
 *
 * Invariants:
 * K2. Nobody owns the call between the two charts: the claim that follows counts as another owner's.
 */
import { type CallContext, initialContext } from '../call/context.ts';
import { callMachine } from '../call/machine.ts';
import type { EntryOf } from '../entries.ts';
import { settingsSchema } from '../settings.ts';
import type { CallContext as Before } from './1/setup.ts';
import { type Carried, completedBy, nearestValue } from './chart.ts';

export function carry1To2({ value, context }: Carried): Carried {
  const before = context as unknown as Before;
  const settings = settingsSchema.parse(before.settings);
  const created = { at: before.startedAt, settings } as EntryOf<'call.created'>;
  const initial = initialContext({ input: { callId: before.callId, created } });
  const carried = completedBy(initial, context) as unknown as CallContext;
  return {
    value: nearestValue(callMachine.root, value),
    context: {
      ...carried,
      settings,
      instance: null,
      model: { ...carried.model, newest: before.model.generation },
    },
  };
}
