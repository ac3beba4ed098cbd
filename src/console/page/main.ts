/**
 * Owns: the page: which place is shown, the frame around it, when it is drawn.
 * Does not own: the places (`calls/`, `call/`, `try/`, `health.ts`, `instances.ts`).
 */
import { html, nothing, render, type TemplateResult } from 'lit-html';
import { CallScene } from './call/call-scene.ts';
import { LiveScene } from './calls/live-scene.ts';
import { PastScene } from './calls/past-scene.ts';
import { HealthScene } from './health.ts';
import { InstancesScene } from './instances.ts';
import { type Place, type PlaceName, placeOf } from './state/place.ts';
import type { Redraw, Scene } from './state/scene.ts';
import { server } from './state/server.ts';
import { TryScene } from './try/try-scene.ts';

const links: readonly { name: PlaceName; href: string; text: string }[] = [
  { name: 'live', href: '#/', text: 'Live calls' },
  { name: 'past', href: '#/past', text: 'Past calls' },
  { name: 'health', href: '#/health', text: 'Health' },
  { name: 'instances', href: '#/instances', text: 'Instances' },
  { name: 'try', href: '#/try', text: 'Try' },
];

function sceneOf(place: Place, redraw: Redraw): Scene {
  switch (place.name) {
    case 'live':
      return new LiveScene(redraw);
    case 'past':
      return new PastScene(place.query, redraw);
    case 'call':
      return new CallScene(place.callId, place.seq, redraw);
    case 'health':
      return new HealthScene(redraw);
    case 'instances':
      return new InstancesScene(redraw);
    case 'try':
      return new TryScene(redraw);
  }
}

class Page {
  readonly #root: HTMLElement;
  #place: Place = placeOf(location.hash);
  #scene: Scene;
  #isDue = false;
  #me: { name: string; needsLogin: boolean } | null = null;

  constructor(root: HTMLElement) {
    this.#root = root;
    root.replaceChildren();
    this.#scene = sceneOf(this.#place, () => this.redraw());
    addEventListener('hashchange', () => this.#go());
    addEventListener('keydown', (event) => this.#onKey(event));
    this.redraw();
    void server.me().then((me) => {
      this.#me = me;
      this.redraw();
    });
  }

  /** However often it is asked for, once a frame. */
  redraw(): void {
    if (this.#isDue) return;
    this.#isDue = true;
    requestAnimationFrame(() => this.#draw());
  }

  #draw(): void {
    this.#isDue = false;
    document.title = `${this.#scene.title} · Holdfast`;
    render(this.#frame(), this.#root);
    this.#scene.drawn?.();
  }

  #go(): void {
    this.#scene.leave();
    this.#place = placeOf(location.hash);
    this.#scene = sceneOf(this.#place, () => this.redraw());
    this.#draw();
    scrollTo(0, 0);
    document.querySelector<HTMLElement>('h1')?.focus();
  }

  #onKey(event: KeyboardEvent): void {
    const field = (event.target as HTMLElement).closest('input, select, textarea, dialog');
    if (field || event.ctrlKey || event.metaKey || event.altKey) return;
    this.#scene.onKey?.(event);
  }

  #frame(): TemplateResult {
    return html`
      <a class="skip" href="#main" @click=${skip}>Skip to the content</a>
      <header class="bar">
        <a class="brand" href="#/">Holdfast</a>
        <nav aria-label="Places">${links.map((link) => this.#link(link))}</nav>
        ${this.#account()}
      </header>
      <main id="main" tabindex="-1">${this.#scene.draw()}</main>
    `;
  }

  #link({ name, href, text }: (typeof links)[number]): TemplateResult {
    const isHere = name === this.#place.name;
    return html`<a href=${href} aria-current=${isHere ? 'page' : nothing}>${text}</a>`;
  }

  #account(): TemplateResult {
    const me = this.#me;
    if (!me) return html`<span class="account"></span>`;
    const out = html`<button class="quiet" @click=${logOut}>Log out</button>`;
    return html`<span class="account"><span class="name">${me.name}</span>${me.needsLogin ? out : nothing}</span>`;
  }
}

function skip(event: Event): void {
  event.preventDefault();
  document.getElementById('main')?.focus();
}

async function logOut(): Promise<void> {
  await server.logOut().catch(() => undefined);
  location.assign('/login');
}

const root = document.getElementById('page');
if (root) new Page(root);
