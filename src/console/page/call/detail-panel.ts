/**
 * Owns: the entry that is looked at in full: its fields, what followed from it, the context and the timers after it; and
 * the difference to another entry.
 * Does not own: what held when (`call-model.ts`).
 */
import { html, nothing, type TemplateResult } from 'lit-html';
import type { StepView } from '../../../runtime/ports/operator.ts';
import { lengthText, offsetText, plural } from '../state/words.ts';
import type { CallModel } from './call-model.ts';
import { leavesOf } from './chart-picture.ts';

const hidden: ReadonlySet<string> = new Set(['seq', 'at', 'type']);

const inline = (value: unknown): string =>
  typeof value === 'string'
    ? value
    : (JSON.stringify(value) ?? '').replaceAll(/[{}"]/g, '').replaceAll(/([,:])/g, '$1 ');

/** `xstate.after.reattach.call.live.carrier.lost` is `reattach`. */
const timerName = (name: string): string => name.split('.')[2] ?? name;

const pair = (name: string, value: unknown, className = ''): TemplateResult =>
  html`<div class=${className}><dt>${name}</dt><dd>${value}</dd></div>`;

export function detailPanel(model: CallModel, seq: number, base: number | null): TemplateResult {
  const step = model.step(seq);
  if (!step) return html``;
  return html`
    <section class="panel detail-panel" aria-labelledby="detail-title">
      <div class="head"><h2 id="detail-title">${base === null ? `Entry ${seq}` : `Entry ${base} and ${seq}`}</h2><span class="dim">${step.entry.type}</span></div>
      <div class="scroll" tabindex="0" role="group" aria-label="Details; scrolls">
        ${base === null || base === seq ? stepView(model, step) : differenceView(model, base, seq)}
      </div>
    </section>`;
}

function stepView(model: CallModel, { entry, payloads, commands, edges, matches }: StepView): TemplateResult {
  const fields = Object.entries(entry).filter(([name]) => !hidden.has(name));
  const changed = new Set(Object.keys(model.step(entry.seq)?.context ?? {}));
  const timers = model.timersAt(entry.seq);
  return html`
    ${matches ? nothing : html`<p class="band bad">The fold differs from the state that was stored.</p>`}
    <dl class="pairs">${fields.map(([name, value]) => pair(name, name in payloads ? (payloads[name] ?? html`<em>erased</em>`) : inline(value)))}</dl>
    <h3>Asked for</h3>
    ${commands.length === 0 ? html`<p class="dim">Nothing.</p>` : html`<ul class="plain mono">${commands.map((command) => html`<li>${command}</li>`)}</ul>`}
    <h3>Arrows taken</h3>
    ${edges.length === 0 ? html`<p class="dim">None: nothing reacts to it here.</p>` : html`<ul class="plain mono">${edges.map((edge) => html`<li>${arrowText(edge)}</li>`)}</ul>`}
    <h3>Timers</h3>
    ${timers.length === 0 ? html`<p class="dim">None.</p>` : html`<dl class="pairs">${timers.map(({ name, at }) => pair(timerName(name), `in ${lengthText(at - entry.at)}`))}</dl>`}
    <h3>Context</h3>
    <dl class="pairs">${[...model.contextAt(entry.seq)].filter(([key]) => key !== 'settings').map(([key, value]) => pair(key, inline(value), changed.has(key) ? 'changed' : ''))}</dl>`;
}

function arrowText(edge: string): string {
  const [from = '', event = ''] = edge.split('|');
  const name = event === '' ? 'always' : event.replace(/^xstate\.after\.([^.]+)\..*/, 'after $1');
  return `${from || 'any state'} · ${name}`;
}

function differenceView(model: CallModel, one: number, other: number): TemplateResult {
  const [first, last] = one < other ? [one, other] : [other, one];
  const [before, after] = [model.nodesAt(first), model.nodesAt(last)];
  const between = model.view.steps.slice(first, last);
  const said = model.view.lines.filter(({ seq }) => seq > first && seq <= last);
  const lengthMs = (model.step(last)?.entry.at ?? 0) - (model.step(first)?.entry.at ?? 0);
  const commands = between.flatMap((step) => step.commands);
  return html`
    <p>${plural(last - first, 'entry', 'entries')} and ${lengthText(lengthMs)} lie between them.</p>
    <h3>States</h3>
    <ul class="plain mono">
      ${leavesOf(before)
        .filter((id) => !after.includes(id))
        .map((id) => html`<li class="gone">− ${id}</li>`)}
      ${leavesOf(after)
        .filter((id) => !before.includes(id))
        .map((id) => html`<li class="come">+ ${id}</li>`)}
    </ul>
    ${before.join() === after.join() ? html`<p class="dim">The same.</p>` : nothing}
    <h3>Context</h3>
    <dl class="pairs">${contextDifference(model, first, last)}</dl>
    <h3>Said between them</h3>
    ${said.length === 0 ? html`<p class="dim">Nothing.</p>` : html`<ul class="plain">${said.slice(-20).map(({ who, at, text }) => html`<li><span class="dim">${offsetText(at - model.startedAt)} ${who}</span> ${text ?? ''}</li>`)}</ul>`}
    <h3>Asked for between them</h3>
    ${commands.length === 0 ? html`<p class="dim">Nothing.</p>` : html`<ul class="plain mono">${commands.slice(-30).map((command) => html`<li>${command}</li>`)}</ul>`}`;
}

function contextDifference(model: CallModel, first: number, last: number): TemplateResult[] {
  const before = model.contextAt(first);
  return [...model.contextAt(last)]
    .filter(([key, value]) => JSON.stringify(value) !== JSON.stringify(before.get(key)))
    .map(([key, value]) =>
      pair(key, html`<del>${inline(before.get(key) ?? 'nothing')}</del> <ins>${inline(value)}</ins>`),
    );
}
