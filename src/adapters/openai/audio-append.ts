/**
 * Owns: the message that carries caller audio, 25 times a second and call.
 * Does not own: whether it may be sent.
 */

/** The text of `input_audio_buffer.append` (OpenAI Realtime, client events). Put together by hand: base64 needs no escaping. */
export const appendMessage = (audio: Buffer): string =>
  `{"type":"input_audio_buffer.append","audio":"${audio.toString('base64')}"}`;
