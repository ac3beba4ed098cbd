/**
 * Owns: the other yardstick: a bare relay that parses nothing it need not. It cuts the audio out of one message and sets
 * it into another one, by the places of a few words; and does nothing else.
 */
import WebSocket from 'ws';
import { relayVoice } from './voice-server.ts';

const mediaMark = '"payload":"';
const deltaMark = '"delta":"';

/** Between the mark and the next quote. */
function cut(data: Buffer, mark: string): string {
  const from = data.indexOf(mark) + mark.length;
  return data.toString('latin1', from, data.indexOf(0x22, from));
}

relayVoice((stream, model) => {
  let mediaHead = '';
  model.on('message', (data: Buffer) => {
    const head = data.toString('latin1', 0, 60);
    if (head.startsWith('{"type":"response.output_audio.delta"')) {
      stream.send(`${mediaHead}${cut(data, deltaMark)}"}}`);
    } else if (head.startsWith('{"type":"input_audio_buffer.speech_started"')) {
      stream.send(`{"event":"clear",${mediaHead.slice(17, 65)}}`);
    }
  });
  stream.on('message', (data: Buffer) => {
    const head = data.toString('latin1', 0, 16);
    if (head === '{"event":"media"') {
      if (model.readyState === WebSocket.OPEN) {
        model.send(`{"type":"input_audio_buffer.append","audio":"${cut(data, mediaMark)}"}`);
      }
    } else if (head === '{"event":"start"') {
      mediaHead = `{"event":"media","streamSid":"${cut(data, '"streamSid":"')}","media":{"payload":"`;
    }
  });
});
