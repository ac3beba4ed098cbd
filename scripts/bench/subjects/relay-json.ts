/**
 * Owns: the yardstick: a bare relay that parses each message and writes another one, and does nothing else: no marks, no
 * truncation, no log, no check of what comes.
 */
import WebSocket from 'ws';
import { relayVoice } from './voice-server.ts';

relayVoice((stream, model) => {
  let streamSid = '';
  model.on('message', (data) => {
    const event = JSON.parse(data.toString());
    if (event.type === 'response.output_audio.delta') {
      stream.send(JSON.stringify({ event: 'media', streamSid, media: { payload: event.delta } }));
    } else if (event.type === 'input_audio_buffer.speech_started') {
      stream.send(JSON.stringify({ event: 'clear', streamSid }));
    }
  });
  stream.on('message', (data) => {
    const message = JSON.parse(data.toString());
    if (message.event === 'start') streamSid = message.start.streamSid;
    else if (message.event === 'media' && model.readyState === WebSocket.OPEN) {
      model.send(JSON.stringify({ type: 'input_audio_buffer.append', audio: message.media.payload }));
    }
  });
});
