/**
 * Owns: a WAV file of two G.711 mu-law channels.
 * Does not own: what is on them.
 *
 * Source: Microsoft, Multiple channel audio data and WAVE files; RFC 2361 (format 0x0007, mu-law).
 */
const mulawFormat = 7;
const sampleRate = 8_000;
const channels = 2;
/** Up to the data: RIFF 12, fmt 8 + 18, fact 8 + 4, data 8. */
const headerBytes = 58;

/** Both channels have the same length; `left` is heard on the left. */
export function makeStereoWav(left: Uint8Array, right: Uint8Array): Buffer {
  const dataBytes = left.length * channels;
  const wav = Buffer.alloc(headerBytes + dataBytes + (dataBytes % 2));
  writeHeader(wav, left.length, dataBytes);
  for (let index = 0; index < left.length; index += 1) {
    wav[headerBytes + 2 * index] = left[index] ?? 0;
    wav[headerBytes + 2 * index + 1] = right[index] ?? 0;
  }
  return wav;
}

function writeHeader(wav: Buffer, frames: number, dataBytes: number): void {
  wav.write('RIFF', 0, 'latin1');
  wav.writeUInt32LE(wav.length - 8, 4);
  wav.write('WAVEfmt ', 8, 'latin1');
  wav.writeUInt32LE(18, 16);
  wav.writeUInt16LE(mulawFormat, 20);
  wav.writeUInt16LE(channels, 22);
  wav.writeUInt32LE(sampleRate, 24);
  wav.writeUInt32LE(sampleRate * channels, 28);
  wav.writeUInt16LE(channels, 32);
  wav.writeUInt16LE(8, 34);
  wav.write('fact', 38, 'latin1');
  wav.writeUInt32LE(4, 42);
  wav.writeUInt32LE(frames, 46);
  wav.write('data', 50, 'latin1');
  wav.writeUInt32LE(dataBytes, 54);
}
