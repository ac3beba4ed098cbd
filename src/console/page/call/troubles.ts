/**
 * Owns: what an operator needs first: what the caller hears, what went wrong and why, what was lost and came back.
 * Does not own: which entries name a cause (the server).
 */
import { html, nothing, type TemplateResult } from 'lit-html';
import type { RecoveryView, TroubleView } from '../../../runtime/ports/operator.ts';
import { clockText, lengthText, offsetText } from '../state/words.ts';
import { type CallModel, lastIndexAt } from './call-model.ts';
import type { Cursor } from './cursor.ts';
import { hearingAt } from './hearing.ts';

const shownTroubles = 30;

/** @param now of a live call that is followed; the time of the entry otherwise */
export function situation(model: CallModel, cursor: Cursor, now: number): TemplateResult {
  const { view, startedAt } = model;
  const heard = hearingAt(view.steps, cursor.seq);
  const since = model.step(heard?.seq ?? 0)?.entry.at;
  const known = view.troubles.slice(0, lastIndexAt(view.troubles, cursor.seq) + 1);
  const last = known.at(-1);
  return html`
    <div class="situation">
      <p class="hears ${heard?.mood ?? 'plain'}"><span class="key">The caller hears</span> <strong>${heard?.text ?? 'nothing yet'}</strong>${since === undefined ? nothing : html` <span class="dim">for ${clockText(now - since)}</span>`}</p>
      <p class="wrong ${last ? 'bad' : 'good'}"><span class="key">${last ? 'What went wrong last' : 'What went wrong'}</span> ${last ? html`<strong>${last.title}: ${last.cause}</strong> <span class="dim">at ${offsetText(last.at - startedAt)}, ${lengthText(now - last.at)} ${model.isLive && cursor.isFollowing ? 'ago' : 'before'}</span>` : html`<strong>Nothing so far</strong>`}</p>
    </div>`;
}

export function troublesPanel(model: CallModel, cursor: Cursor): TemplateResult {
  const { troubles, recoveries } = model.view;
  const shown = troubles.slice(-shownTroubles).reverse();
  return html`
    <section class="panel troubles-panel" aria-labelledby="troubles-title">
      <div class="head"><h2 id="troubles-title">Troubles and recoveries</h2><span class="dim">${troubles.length}, ${recoveries.length}</span></div>
      <div class="scroll" tabindex="0" role="group" aria-label="Troubles and recoveries; scrolls">
        ${troubles.length === 0 && recoveries.length === 0 ? html`<p class="dim">Nothing went wrong.</p>` : nothing}
        ${
          recoveries.length === 0
            ? nothing
            : html`<ul class="plain">${recoveries
                .slice(-shownTroubles)
                .reverse()
                .map((recovery) => recoveryRow(recovery, model, cursor))}</ul>`
        }
        ${shown.length === 0 ? nothing : html`<ul class="plain">${shown.map((trouble) => troubleRow(trouble, model, cursor))}</ul>`}
      </div>
    </section>`;
}

const troubleRow = (
  { seq, at, title, cause }: TroubleView,
  model: CallModel,
  cursor: Cursor,
): TemplateResult => html`<li>
  <button class="trouble ${seq > cursor.seq ? 'later' : ''}" @click=${() => cursor.go(seq)}>
    <span class="when">${offsetText(at - model.startedAt)}</span><span><strong>${title}</strong><br><span class="cause">${cause}</span></span>
  </button></li>`;

function recoveryRow(
  { seq, rung, cause, startedAt, endedAt, recovered }: RecoveryView,
  model: CallModel,
  cursor: Cursor,
): TemplateResult {
  const outcome =
    recovered === null ? (endedAt === null ? 'going on' : 'call over') : recovered ? 'came back' : 'lost';
  const mood = recovered === null ? 'warn' : recovered ? 'good' : 'bad';
  return html`<li><button class="trouble ${seq > cursor.seq ? 'later' : ''}" @click=${() => cursor.go(seq)}>
    <span class="when">${offsetText(startedAt - model.startedAt)}</span>
    <span><strong>${rung}</strong> <span class="tag ${mood}">${outcome}</span>${endedAt === null ? nothing : html` <span class="dim">after ${lengthText(endedAt - startedAt)}</span>`}<br><span class="cause">${cause}</span></span>
  </button></li>`;
}
