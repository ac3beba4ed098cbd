/**
 * Owns: opening a call in the Stately inspector. It is the one place where anything leaves this host, and only after the
 * dialog has said what, and somebody has agreed.
 * Does not own: the messages (the server), the inspector (stately.ai).
 */
import { html, type TemplateResult } from 'lit-html';
import { listen, server, type Unlisten } from '../state/server.ts';

const inspectorOrigin = 'https://stately.ai';
const inspectorUrl = `${inspectorOrigin}/inspect`;

export class InspectorDialog {
  readonly #callId: string;
  #stop: Unlisten | null = null;

  constructor(callId: string) {
    this.#callId = callId;
  }

  button(): TemplateResult {
    return html`<button @click=${() => dialogElement()?.showModal()}>Stately inspector…</button>`;
  }

  draw(entries: number, isLive: boolean): TemplateResult {
    return html`<dialog id="inspector" aria-labelledby="inspector-title">
      <h2 id="inspector-title">Open in the Stately inspector</h2>
      <p>A window with <strong>${inspectorUrl}</strong> opens. That page is not part of Holdfast. Your browser loads it from there, and then hands to it:</p>
      <ul>
        <li>the definition of the call’s chart: names of states, events, guards and actions;</li>
        <li>the ${entries.toLocaleString()} entries of this call, ${isLive ? 'and each further one while both windows are open, ' : ''}with the state and the context after each: ids, times, settings, instances.</li>
      </ul>
      <p>Numbers, words, tool arguments and results are not in it. Nothing is sent before you agree.</p>
      <div class="choices"><button @click=${close}>Cancel</button><button class="primary" @click=${() => this.#open()}>Open and send</button></div>
    </dialog>`;
  }

  /** The inspector says when it is ready; what came before is kept for it. */
  #open(): void {
    close();
    this.leave();
    const opened = window.open(inspectorUrl, '_blank');
    if (!opened) return;
    let isReady = false;
    const waiting: unknown[] = [];
    const send = (message: unknown): void => opened.postMessage(message, inspectorOrigin);
    const hear = (event: MessageEvent): void => {
      if (event.source !== opened || event.origin !== inspectorOrigin) return;
      if (event.data?.type !== '@statelyai.connected') return;
      isReady = true;
      waiting.splice(0).forEach(send);
    };
    addEventListener('message', hear);
    const message = (data: unknown): void => {
      if (isReady) send(data);
      else waiting.push(data);
    };
    const unlisten = listen(
      () => server.inspectPath(this.#callId),
      { message },
      () => undefined,
    );
    this.#stop = () => {
      unlisten();
      removeEventListener('message', hear);
    };
  }

  leave(): void {
    this.#stop?.();
    this.#stop = null;
  }
}

const dialogElement = (): HTMLDialogElement | null => document.querySelector('dialog#inspector');

function close(): void {
  dialogElement()?.close();
}
