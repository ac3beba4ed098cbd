/**
 * Owns: the account's limit on tokens as `rate_limits.updated` reports it.
 * It is reported, not enforced: what a limit does to a call is a fault of a response.
 */
const limit = 15_000_000;
const tokensPerSecond = limit / 60;

/** The report after a response that used so many tokens. */
export const rateLimitsAfter = (tokens: number): object => ({
  rate_limits: [
    {
      name: 'tokens',
      limit,
      remaining: limit - tokens,
      reset_seconds: Number((tokens / tokensPerSecond).toFixed(3)),
    },
  ],
});
