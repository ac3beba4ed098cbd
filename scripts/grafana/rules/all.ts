/** Owns: all groups of rules, in the order in which they are read. Does not own: what is in them. */
import { causeRules } from './causes.ts';
import { goalRules } from './goals.ts';
import { ladderRules } from './ladder.ts';
import type { RuleGroup } from './rule.ts';
import { symptomRules } from './symptoms.ts';

export const ruleGroups: readonly RuleGroup[] = [goalRules, symptomRules, ladderRules, causeRules];

export const alerts = ruleGroups.flatMap((group) => group.alerts);
export const recordings = ruleGroups.flatMap((group) => group.recordings);
