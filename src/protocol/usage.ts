/** Tokens as the upstream counted them. `totalTokens` is the upstream's own figure, which need not be the sum. */
export interface Usage {
  readonly inputTokens: number;
  readonly cachedInputTokens: number;
  readonly outputTokens: number;
  readonly reasoningTokens: number;
  readonly totalTokens: number;
}

/** The usage of several rounds together. A round that reported none adds nothing; none at all stays null. */
export function addUsage(sum: Usage | null, round: Usage | null): Usage | null {
  if (sum === null || round === null) return sum ?? round;
  return {
    inputTokens: sum.inputTokens + round.inputTokens,
    cachedInputTokens: sum.cachedInputTokens + round.cachedInputTokens,
    outputTokens: sum.outputTokens + round.outputTokens,
    reasoningTokens: sum.reasoningTokens + round.reasoningTokens,
    totalTokens: sum.totalTokens + round.totalTokens,
  };
}
