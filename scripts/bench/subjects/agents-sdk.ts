/**
 * Owns: the peer: `TwilioRealtimeTransportLayer` of `@openai/agents-extensions` under a `RealtimeSession`, in the server
 * that its guide shows. Its traces are those of the session itself; nothing is logged.
 */
import { RealtimeAgent, RealtimeSession } from '@openai/agents/realtime';
import { TwilioRealtimeTransportLayer } from '@openai/agents-extensions';
import { apiKey, greet, modelUrl, serveVoice } from './voice-server.ts';

const agent = new RealtimeAgent({
  name: 'bench',
  instructions: 'You answer the phone of a bicycle repair shop.',
});

serveVoice((stream) => {
  const transport = new TwilioRealtimeTransportLayer({ twilioWebSocket: stream });
  const session = new RealtimeSession(agent, {
    transport,
    model: 'gpt-realtime-2.1',
    config: { audio: { output: { voice: 'marin' } } },
  });
  session.on('error', () => undefined);
  stream.on('error', () => undefined);
  session
    .connect({ apiKey, url: modelUrl })
    .then(() => transport.sendEvent(JSON.parse(greet)))
    .catch(() => stream.close());
});
