/** Owns: telling a call's agent that it ended, with what was said and heard. */
import { conversationOf } from '../runtime/conversation.ts';
import { heardLine } from '../runtime/heard-text.ts';
import { readEntries } from '../runtime/history.ts';
import { GiveUpError } from '../runtime/ports/errors.ts';
import type { CallRow, Journal } from '../runtime/ports/journal.ts';
import type { Agents } from './agents.ts';

type Turn = { role: 'caller' | 'agent'; text: string };

/**
 * @throws what `onCallEnded` throws; FixCallError `agent.invalid` where the definition fails for this call now: whether
 *   it has an `onCallEnded` is not known then; GiveUpError `log.invalid`
 */
export async function tellCallEnd(agents: Agents, journal: Journal, row: CallRow): Promise<void> {
  const [entries, payloads] = await Promise.all([
    readEntries(journal, row.callId),
    journal.readPayloads(row.callId),
  ]);
  const [created] = entries;
  if (created?.type !== 'call.created') {
    throw new GiveUpError('log.invalid', `call ${row.callId} does not begin with call.created`);
  }
  const agent = await agents.resume(row.callId, created, payloads);
  if (agent.fault) throw agent.fault;
  const turns = conversationOf(entries, payloads).lines.flatMap((line): Turn[] => {
    if (line.kind === 'caller') return line.text ? [{ role: 'caller', text: line.text }] : [];
    if (line.kind !== 'agent') return [];
    const text = heardLine(line);
    return text === '' ? [] : [{ role: 'agent', text }];
  });
  const { startedAt, endedAt, endReason } = row;
  await agent.tellEnd({ startedAt, endedAt: endedAt ?? startedAt, reason: endReason ?? 'unknown', turns });
}
