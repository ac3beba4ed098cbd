/**
 * Owns: calls as rows of a list: a table on a wide screen, cards on a phone, walked by the arrow keys.
 * Does not own: which calls.
 *
 * Rows are used again by their place in the list: lit-html's `repeat` (3.3.1 to 3.3.3) leaves a node behind for each row
 * that it removes. `keepFocus` sees to it that the keyboard stays with the call.
 */
import { html, nothing, type TemplateResult } from 'lit-html';
import type { CallSummary } from '../../../runtime/ports/operator.ts';
import { addressOf } from '../state/place.ts';
import { clockText, dayTimeText, lengthText, shortId } from '../state/words.ts';

const goodEnds: ReadonlySet<string> = new Set(
  'caller.hungUp agent.hungUp operator.hungUp call.transferred call.tooLong call.notAnswered carrier.busy carrier.no-answer carrier.canceled'.split(
    ' ',
  ),
);
const slowMs = 1_500;

const cell = (name: string, className: string, content: unknown): TemplateResult =>
  html`<span class="cell ${className}"><span class="key">${name}</span> ${content}</span>`;

const party = ({ direction, from, to }: CallSummary): TemplateResult => {
  const [mine, theirs] = direction === 'incoming' ? [from, to] : [to, from];
  return html`<span class="way" aria-hidden="true">${direction === 'incoming' ? '↘' : '↗'}</span><span class="hidden">${direction}, </span><span class="number">${mine ?? 'erased'}</span> <span class="dim">${theirs ?? ''}</span>`;
};

function stateCell(call: CallSummary): TemplateResult {
  if (call.endedAt === null) {
    return html`<span class="dot ${call.recovering ? 'warn' : 'good'}" aria-hidden="true"></span>${call.recovering ? html`<span class="hidden">recovering: </span>` : nothing}<span title=${call.stateText}>${call.stateText.replace(/^live: /, '')}</span>`;
  }
  const reason = call.endReason ?? 'ended';
  return html`<span class="tag ${goodEnds.has(reason) ? 'plain' : 'bad'}">${reason}</span>`;
}

/** Known while the call is live, in the process that has it. */
function figures({ latencyMs, recoveries }: CallSummary): TemplateResult {
  const slow = latencyMs !== null && latencyMs > slowMs;
  return html`${cell('Latency', `numeral ${slow ? 'warn' : ''}`, latencyMs === null ? '–' : lengthText(latencyMs))}
    ${cell('Recoveries', `numeral ${recoveries ? 'warn' : ''}`, recoveries ?? '–')}`;
}

function row(call: CallSummary, now: number, areLive: boolean): TemplateResult {
  const { callId, startedAt, endedAt, owner } = call;
  return html`<li>
    <a class="row" href=${addressOf({ name: 'call', callId, seq: null })}>
      ${cell('Caller', 'party', party(call))}
      ${cell(endedAt === null ? 'State' : 'End', 'state', stateCell(call))}
      ${cell('Duration', 'numeral', clockText((endedAt ?? now) - startedAt))}
      ${areLive ? figures(call) : nothing}
      ${cell(endedAt === null ? 'Instance' : 'Started', 'where', endedAt === null ? (owner ?? '–') : dayTimeText(startedAt))}
      ${cell('Call', 'id mono', shortId(callId))}
    </a>
  </li>`;
}

/** @param now for durations that run */
export const callRows = (
  calls: readonly CallSummary[],
  now: number,
  areLive: boolean,
): TemplateResult => html`
  <div class="table ${areLive ? '' : 'past'}">
    <div class="row names" aria-hidden="true">
      <span>Caller</span><span>${areLive ? 'State' : 'End'}</span><span class="numeral">Duration</span>${areLive ? html`<span class="numeral">Latency</span><span class="numeral">Recoveries</span>` : nothing}<span>${areLive ? 'Instance' : 'Started'}</span><span>Call</span>
    </div>
    <ul class="rows" @keydown=${walk} @focusin=${note}>${calls.map((call) => row(call, now, areLive))}</ul>
  </div>`;

const steps: Record<string, (index: number, count: number) => number> = {
  ArrowDown: (index, count) => Math.min(count - 1, index + 1),
  ArrowUp: (index) => Math.max(0, index - 1),
  Home: () => 0,
  End: (_, count) => count - 1,
};

function walk(event: KeyboardEvent): void {
  const step = steps[event.key];
  if (!step) return;
  const rows = [...(event.currentTarget as HTMLElement).querySelectorAll<HTMLElement>('a.row')];
  const index = rows.indexOf((event.target as HTMLElement).closest<HTMLElement>('a.row') as HTMLElement);
  event.preventDefault();
  rows[step(index, rows.length)]?.focus();
}

let focused: string | null = null;

function note(event: FocusEvent): void {
  focused = (event.target as HTMLElement).getAttribute('href');
}

/** After the list was drawn: another call may have come to the row that had the focus. */
export function keepFocus(): void {
  const row = document.activeElement;
  if (focused === null || !row?.matches('a.row') || row.getAttribute('href') === focused) return;
  document.querySelector<HTMLElement>(`a.row[href="${CSS.escape(focused)}"]`)?.focus();
}
