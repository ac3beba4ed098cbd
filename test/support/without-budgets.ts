/**
 * Owns: the environment of processes that decline no call for what they measure of themselves: how busy the machine is
 * must not decide what a check of something else finds.
 */
export const withoutBudgets = {
  AUDIO_BUDGET_MS: 'off',
  EVENT_LOOP_BUDGET_MS: 'off',
  MEMORY_BUDGET: 'off',
  QUALITY_BUDGET: 'off',
} as const;
