/**
 * Owns: that the same mutant meets the same random cases in every run, and that a property stops at its first failure.
 * Does not own: how many cases a property tries.
 */
import fc from 'fast-check';

fc.configureGlobal({ seed: 1, endOnFailure: true });
