import assert from 'node:assert/strict';

/** Requires of standard error the sentence of a refusal, without a stack. */
export function assertOneSentence(stderr: string): void {
  assert.match(stderr, /^satin: [^\n]+\n$/);
  assert.doesNotMatch(stderr, / at .*:\d+:\d+|This is a bug/);
}
