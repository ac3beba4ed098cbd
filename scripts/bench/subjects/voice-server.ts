/**
 * Owns: what the yardsticks have in common: the webhook that orders a stream, the upgrade, the model's address and socket.
 * Does not own: what goes between the two sockets, which is what is compared.
 */
import { createServer } from 'node:http';
import WebSocket, { WebSocketServer } from 'ws';

const port = Number(process.env.PORT);
export const modelUrl = process.env.OPENAI_REALTIME_URL ?? '';
export const apiKey = process.env.OPENAI_API_KEY ?? '';

const twiml = `<?xml version="1.0" encoding="UTF-8"?><Response><Connect><Stream url="ws://127.0.0.1:${port}/media"/></Connect></Response>`;

/** As the service asks it of the model, so that all of them are answered alike. */
const sessionUpdate = JSON.stringify({
  type: 'session.update',
  session: {
    type: 'realtime',
    output_modalities: ['audio'],
    instructions: 'You answer the phone of a bicycle repair shop.',
    audio: {
      input: {
        format: { type: 'audio/pcmu' },
        transcription: { model: 'gpt-realtime-whisper' },
        turn_detection: { type: 'server_vad', create_response: true, interrupt_response: true },
      },
      output: { format: { type: 'audio/pcmu' }, voice: 'marin' },
    },
  },
});
export const greet = JSON.stringify({ type: 'response.create' });

export function serveVoice(onStream: (stream: WebSocket) => void): void {
  const server = createServer((request, response) => {
    request.resume();
    response.setHeader('content-type', 'text/xml');
    response.end(request.url === '/twilio/voice' ? twiml : '<Response/>');
  });
  const streams = new WebSocketServer({ server, perMessageDeflate: false });
  streams.on('connection', onStream);
  server.listen(port, '127.0.0.1');
}

/** With a session of the model for each stream: one ends with the other. */
export function relayVoice(relay: (stream: WebSocket, model: WebSocket) => void): void {
  serveVoice((stream) => {
    const headers = { authorization: `Bearer ${apiKey}` };
    const model = new WebSocket(modelUrl, { headers, perMessageDeflate: false });
    model.on('open', () => {
      model.send(sessionUpdate);
      model.send(greet);
    });
    relay(stream, model);
    stream.on('close', () => model.close());
    model.on('close', () => stream.close());
    for (const socket of [stream, model]) socket.on('error', () => undefined);
  });
}
