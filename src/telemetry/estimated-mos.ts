/**
 * Owns: the mean opinion score that our leg alone would allow, estimated by the E-model: ITU-T G.107 with the simplified
 * delay impairment of Cole and Rosenbluth (2001), G.711 with packet loss concealment (G.113 appendix I: Ie 0, Bpl 25.1).
 * Does not own: the telephone network before the carrier's gateway. Nothing here can hear it.
 */

const bestRating = 93.2;
const lossRobustness = 25.1;
/** One-way delay from which people begin to talk over each other. */
const kneeMs = 177.3;

/** @param lossPercent of the audio; @returns 1 to 4.5 */
export function estimatedMos(oneWayDelayMs: number, lossPercent: number): number {
  const delayImpairment =
    0.024 * oneWayDelayMs + (oneWayDelayMs > kneeMs ? 0.11 * (oneWayDelayMs - kneeMs) : 0);
  const lossImpairment = (95 * lossPercent) / (lossPercent + lossRobustness);
  return scoreOf(bestRating - delayImpairment - lossImpairment);
}

/** G.107, annex B. */
export function scoreOf(rating: number): number {
  if (rating <= 0) return 1;
  if (rating >= 100) return 4.5;
  return 1 + 0.035 * rating + 7e-6 * rating * (rating - 60) * (100 - rating);
}
