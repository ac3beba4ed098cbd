/**
 * Owns: the message that carries caller audio, 50 times a second and call.
 * Does not own: whether it may be sent.
 */

const base64 = /^[A-Za-z0-9+/]+={0,2}$/;

/** The last message that was written: a caller who is silent sends the same again and again. */
let last = { payloadBase64: '', message: '' };

/**
 * The text of `input_audio_buffer.append` (OpenAI Realtime, client events). Put together by hand: the payload is known
 * to need no escaping. Null where it is empty, too long or not base64.
 */
export function appendMessage(payloadBase64: string, longestCharacters: number): string | null {
  const { length } = payloadBase64;
  if (length > longestCharacters || length === 0) return null;
  if (payloadBase64 === last.payloadBase64) return last.message;
  if (length % 4 !== 0 || !base64.test(payloadBase64)) return null;
  last = { payloadBase64, message: `{"type":"input_audio_buffer.append","audio":"${payloadBase64}"}` };
  return last.message;
}
