/**
 * Owns: the page of `holdfast inspect`. It says what would be sent, and sends it only after the click.
 * Does not own: serving it (`inspector-server.ts`), the inspector's own page.
 *
 * Invariants:
 * N1. Nothing leaves the host before the click, and after it only to `inspectorOrigin`.
 */

/** The far side (Stately inspector). */
export const inspectorOrigin = 'https://stately.ai';

const style = `
  :root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
  body { max-width: 44rem; margin: 2rem auto; padding: 0 1rem; }
  button { font: inherit; padding: 0.6rem 1rem; }
  pre { overflow: auto; max-height: 24rem; border: 1px solid; padding: 0.5rem; font-size: 0.8rem; }`;

/**
 * The inspector's page says `@statelyai.connected` to the page that opened it, and then takes the messages
 * (`@statelyai/inspect` 0.7.2, `createBrowserReceiver`). One that is loaded again is told everything again.
 */
const script = `
  const origin = ${JSON.stringify(inspectorOrigin)};
  const messages = [];
  let inspector = null;
  let sent = Number.POSITIVE_INFINITY;
  const find = (id) => document.getElementById(id);
  const send = () => {
    while (sent < messages.length) inspector.postMessage(messages[sent++], origin);
    if (Number.isFinite(sent)) find('sent').textContent = sent + ' messages were sent.';
  };
  const show = (message) => {
    const name = message.event ? message.event.type : message.name;
    find('messages').append(message.type + '  ' + name + '\\n');
    find('count').textContent = messages.length;
  };
  const source = new EventSource('messages');
  source.onmessage = ({ data }) => {
    const message = JSON.parse(data);
    messages.push(message);
    show(message);
    send();
  };
  source.addEventListener('ended', ({ data }) => {
    find('state').textContent = data;
    source.close();
  });
  source.onerror = () => {
    find('state').textContent = 'The command was ended: nothing more comes.';
    source.close();
  };
  addEventListener('message', ({ source: from, origin: whence, data }) => {
    if (from !== inspector || whence !== origin || data?.type !== '@statelyai.connected') return;
    sent = 0;
    send();
  });
  find('open').onclick = () => {
    inspector = open(origin + '/inspect', 'stately-inspector');
    find('sent').textContent = inspector
      ? 'Waiting for the inspector.'
      : 'The browser did not let this page open another one.';
  };`;

const escaped = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');

export function inspectorPage(callId: string, nonce: string): string {
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Call ${escaped(callId)} in the Stately inspector</title>
<style nonce="${nonce}">${style}</style>
<main>
<h1>Call ${escaped(callId)} in the Stately inspector</h1>
<p>The inspector is a page of Stately, at ${inspectorOrigin}/inspect. Nothing has been sent there yet.</p>
<p>The button opens it, and this page then hands it, within your browser: the chart’s definition, each entry of the
call (its type, its moment, ids, reasons, sizes), and the chart’s state and context after it; those of a live call as
they come. There are no phone numbers, no words, no digits, no tool arguments and no results among them. What that page
does with it is up to Stately.</p>
<p><button id="open">Open ${inspectorOrigin}/inspect and send this call</button></p>
<p role="status"><span id="count">0</span> messages are ready. <span id="sent"></span> <span id="state"></span></p>
<details><summary>What they are</summary><pre id="messages"></pre></details>
</main>
<script nonce="${nonce}">${script}</script>
</html>
`;
}
