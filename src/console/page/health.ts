/**
 * Owns: the health page: what is wrong with this process and what it depends on, since when, and what to do about it.
 * Does not own: what is healthy (the server).
 */
import { html, nothing, type TemplateResult } from 'lit-html';
import type { Redraw, Scene } from './state/scene.ts';
import { type Health, server } from './state/server.ts';
import { dayTimeText, lengthText } from './state/words.ts';

interface Dependency {
  state: string;
  since: string;
  found: string;
  needed: boolean;
  latencyMs: number | null;
  failuresInARow: number;
  lastError: { message?: string; code?: string; at?: string } | null;
  proves?: string;
  without?: string;
}

interface Phase {
  outcome: string;
  detail: string;
  advice: string | null;
  tookMs: number;
}

const everyMs = 2_000;
const goodStates: ReadonlySet<string> = new Set(['up', 'passed', 'well', 'unwatched', 'reachable', 'ok']);

const mood = (state: string): string =>
  goodStates.has(state) ? 'good' : state === 'unknown' || state === 'pending' ? 'plain' : 'bad';

export class HealthScene implements Scene {
  readonly title = 'Health';
  readonly #redraw: Redraw;
  readonly #timer: ReturnType<typeof setInterval>;
  #health: Health | null = null;
  #problem: string | null = null;

  constructor(redraw: Redraw) {
    this.#redraw = redraw;
    this.#timer = setInterval(() => void this.#look(), everyMs);
    void this.#look();
  }

  leave(): void {
    clearInterval(this.#timer);
  }

  async #look(): Promise<void> {
    try {
      this.#health = await server.health();
      this.#problem = null;
    } catch (error) {
      this.#problem = (error as Error).message;
    }
    this.#redraw();
  }

  draw(): TemplateResult {
    const health = this.#health;
    return html`
      <h1 tabindex="-1">Health</h1>
      ${this.#problem ? html`<p class="band bad" role="alert">${this.#problem} What is below was so before.</p>` : nothing}
      ${health ? reportView(health) : html`<p class="loading">Looking…</p>`}
    `;
  }
}

function reportView(health: Health): TemplateResult {
  const dependencies = Object.entries((health.dependencies ?? {}) as Record<string, Dependency>);
  const phases = Object.entries((health.phases ?? {}) as Record<string, Phase>);
  return html`
    <p class="band ${health.healthy ? 'good' : 'bad'}" role="status">${health.summary ?? (health.healthy ? 'All is well.' : 'Something is wrong.')}</p>
    <dl class="facts">${factsOf(health).map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>
    <h2>What it depends on</h2>
    <ul class="cards">${dependencies.map(([name, dependency]) => dependencyView(name, dependency))}</ul>
    <h2>Phases of the start</h2>
    <ul class="cards">${phases.map(([name, phase]) => phaseView(name, phase))}</ul>
  `;
}

function factsOf(health: Health): [string, string][] {
  const text = (value: unknown): string =>
    typeof value === 'object' && value !== null ? JSON.stringify(value) : String(value ?? 'none');
  const skew = health.clockSkewMs;
  return [
    ['Instance', text(health.instance)],
    ['State', text(health.state)],
    ['Live calls here', text(health.liveCalls)],
    ['Ready', health.ready ? 'yes' : 'no'],
    ['Takes new calls', health.admitting ? 'yes' : `no: ${text(health.declineCause)}`],
    ['Public address', text(health.publicUrl)],
    ['Journal stalled', lengthText(Number(health.journalStalledMs ?? 0))],
    ['Clock skew', typeof skew === 'number' ? lengthText(Math.abs(skew)) : 'not known'],
  ];
}

function dependencyView(name: string, dependency: Dependency): TemplateResult {
  const { state, since, found, latencyMs, failuresInARow, lastError, without, needed } = dependency;
  return html`<li class="card">
    <h3>${name} <span class="tag ${needed || goodStates.has(state) ? mood(state) : 'plain'}">${state}</span></h3>
    <p>${found}</p>
    <p class="dim">Since ${dayTimeText(Date.parse(since))}${latencyMs === null ? '' : ` · answers in ${lengthText(latencyMs)}`}${
      failuresInARow > 0 ? ` · ${failuresInARow} failures in a row` : ''
    }</p>
    ${lastError?.message ? html`<p class="dim">Last error: ${lastError.message}</p>` : nothing}
    ${!goodStates.has(state) && without ? html`<p>Without it: ${without}</p>` : nothing}
  </li>`;
}

const phaseView = (
  name: string,
  { outcome, detail, advice, tookMs }: Phase,
): TemplateResult => html`<li class="card">
  <h3>${name} <span class="tag ${mood(outcome)}">${outcome}</span></h3>
  <p>${detail}</p>
  ${advice ? html`<p>${advice}</p>` : nothing}
  <p class="dim">${outcome === 'pending' ? '' : `took ${lengthText(tookMs)}`}</p>
</li>`;
