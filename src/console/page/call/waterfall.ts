/**
 * Owns: how long each answer took, and where the time went.
 * Does not own: the turns (the server).
 */
import { html, type TemplateResult } from 'lit-html';
import type { TurnView } from '../../../runtime/ports/operator.ts';
import { lengthText, offsetText } from '../state/words.ts';
import { type CallModel, lastIndexAt } from './call-model.ts';
import type { Cursor } from './cursor.ts';

const shownTurns = 14;
const leastScaleMs = 2_000;

interface Part {
  name: string;
  className: string;
  ms: number;
}

/** From the caller's last word to the agent's first sound, in three parts. */
function partsOf({ lastWordAt, detectedAt, replyAt, voicedAt }: TurnView): Part[] {
  const moments = [lastWordAt, detectedAt, replyAt, voicedAt];
  const names = ['end of turn noticed', 'reply begun', 'first sound'];
  const classes = ['noticing', 'thinking', 'voicing'];
  return names.flatMap((name, index) => {
    const [from, to] = [moments[index], moments[index + 1]];
    return from == null || to == null
      ? []
      : [{ name, className: classes[index] ?? '', ms: Math.max(0, to - from) }];
  });
}

const totalOf = ({ lastWordAt, voicedAt }: TurnView): number | null =>
  lastWordAt === null || voicedAt === null ? null : voicedAt - lastWordAt;

export function waterfall(model: CallModel, seq: number, cursor: Cursor): TemplateResult {
  const { turns } = model.view;
  const end = lastIndexAt(turns, seq) + 1;
  const shown = turns.slice(Math.max(0, end - shownTurns), end);
  const scaleMs = Math.max(leastScaleMs, ...shown.map((turn) => totalOf(turn) ?? 0));
  return html`
    <section class="panel waterfall-panel" aria-labelledby="waterfall-title">
      <div class="head"><h2 id="waterfall-title">Latency of each turn</h2>
        <span class="legend" aria-hidden="true"><i class="noticing"></i>noticed <i class="thinking"></i>begun <i class="voicing"></i>first sound</span></div>
      <div class="scroll" tabindex="0" role="group" aria-label="Turns; scrolls">
        ${shown.length === 0 ? html`<p class="dim">No turn yet.</p>` : html`<ol class="turns">${shown.map((turn) => turnRow(turn, model, scaleMs, cursor))}</ol>`}
      </div>
    </section>`;
}

function turnRow(turn: TurnView, model: CallModel, scaleMs: number, cursor: Cursor): TemplateResult {
  const parts = partsOf(turn);
  const total = totalOf(turn);
  const spoken = parts.map(({ name, ms }) => `${name} after ${lengthText(ms)}`).join(', ');
  return html`<li><button class="turn" @click=${() => cursor.go(turn.seq)} title=${spoken}>
    <span class="when">${offsetText(turn.startedAt - model.startedAt)}</span>
    <span class="parts" aria-hidden="true">${parts.map(({ className, ms }) => html`<i class=${className} .style=${`width:${(100 * ms) / scaleMs}%`}></i>`)}</span>
    <span class="numeral">${total === null ? (turn.outcome ?? '…') : lengthText(total)}</span>
    <span class="hidden">${spoken}</span>
    ${turn.tool ? html`<span class="tag plain">tool</span>` : ''}${turn.outcome === 'interrupted' ? html`<span class="tag warn">cut</span>` : ''}
  </button></li>`;
}
