/**
 * Owns: the page of the processes that share the journal, and of what each has written into its log.
 * Does not own: the facts (the server).
 */
import { html, nothing, type TemplateResult } from 'lit-html';
import type { InstanceFactView, InstanceView } from '../../runtime/ports/operator.ts';
import type { Redraw, Scene } from './state/scene.ts';
import { server } from './state/server.ts';
import { dayTimeText, lengthText } from './state/words.ts';

const everyMs = 2_000;
const pageFacts = 100;
const lateBeatMs = 5_000;

export class InstancesScene implements Scene {
  readonly title = 'Instances';
  readonly #redraw: Redraw;
  readonly #timer: ReturnType<typeof setInterval>;
  #instances: InstanceView[] = [];
  #facts: InstanceFactView[] = [];
  #hasMore = false;
  #chosen = '';
  #problem: string | null = null;

  constructor(redraw: Redraw) {
    this.#redraw = redraw;
    this.#timer = setInterval(() => void this.#look(), everyMs);
    void this.#look();
    void this.#read();
  }

  leave(): void {
    clearInterval(this.#timer);
  }

  async #look(): Promise<void> {
    await this.#try(async () => {
      this.#instances = await server.instances();
    });
  }

  async #read(before?: number): Promise<void> {
    await this.#try(async () => {
      const query = new URLSearchParams({ limit: String(pageFacts) });
      if (this.#chosen) query.set('instance', this.#chosen);
      if (before !== undefined) query.set('before', String(before));
      const facts = await server.instanceLog(query);
      this.#hasMore = facts.length === pageFacts;
      this.#facts = before === undefined ? facts : [...this.#facts, ...facts];
    });
  }

  async #try(look: () => Promise<void>): Promise<void> {
    try {
      await look();
      this.#problem = null;
    } catch (error) {
      this.#problem = (error as Error).message;
    }
    this.#redraw();
  }

  draw(): TemplateResult {
    return html`
      <h1 tabindex="-1">Instances</h1>
      ${this.#problem ? html`<p class="band bad" role="alert">${this.#problem}</p>` : nothing}
      <h2 class="hidden">Processes</h2>
      <ul class="cards">${this.#instances.map(instanceView)}</ul>
      <div class="head">
        <h2>What they have written down</h2>
        <label>Instance
          <select @change=${(event: Event) => this.#choose((event.target as HTMLSelectElement).value)}>
            <option value="">all</option>
            ${this.#instances.map(({ instance }) => html`<option ?selected=${instance === this.#chosen}>${instance}</option>`)}
          </select>
        </label>
      </div>
      <ol class="log">${this.#facts.map(factView)}</ol>
      ${this.#facts.length === 0 ? html`<p class="dim">Nothing has been written down.</p>` : nothing}
      ${this.#hasMore ? html`<button @click=${() => void this.#read(this.#facts.at(-1)?.at)}>Show older</button>` : nothing}
    `;
  }

  #choose(instance: string): void {
    this.#chosen = instance;
    void this.#read();
  }
}

function instanceView({
  instance,
  host,
  pid,
  ready,
  startedAt,
  beatAgeMs,
  here,
}: InstanceView): TemplateResult {
  const isLate = beatAgeMs > lateBeatMs;
  const state = isLate ? 'silent' : ready ? 'ready' : 'not ready';
  return html`<li class="card">
    <h3>${instance} <span class="tag ${isLate ? 'bad' : ready ? 'good' : 'warn'}">${state}</span>
      ${here ? html`<span class="tag plain">answers you</span>` : nothing}</h3>
    <p class="dim">${host}, process ${pid} · started ${dayTimeText(startedAt)} · last heard of ${lengthText(beatAgeMs)} ago</p>
  </li>`;
}

const factView = ({ instance, at, type, detail }: InstanceFactView): TemplateResult => html`<li>
  <time datetime=${new Date(at).toISOString()}>${dayTimeText(at)}</time>
  <span class="mono">${instance}</span>
  <strong>${type}</strong>
  <span class="mono detail">${Object.entries(detail)
    .map(([name, value]) => `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`)
    .join('  ')}</span>
</li>`;
