import type { EvaluationResult } from '../../evaluation/result.js';
import { normSymbols } from '../../user-input/norm-name.js';
import { plainPercent as percent } from '../page/format.js';
import { html } from '../page/html.js';

/**
 * An evaluation as a JUnit file, which the test pages of GitHub, GitLab and Jenkins show: one test case for the required robust
 * accuracy, and one for the checks of docs/checks.md, which fails if they found something.
 */
export function junit(result: EvaluationResult, required: number): string {
  const { model, robust, examples, flags, seconds, norm, epsilonText, attacks } = result;
  const threat = `${normSymbols[norm]}, ε = ${epsilonText}`;
  const fails = robust < required;
  const failures = Number(fails) + Number(flags.length > 0);
  const measured = `${percent(robust)} of ${examples} images withstand ${attacks.map(({ name }) => name).join(', ')} (${threat})`;
  const body = html`<?xml version="1.0" encoding="UTF-8"?>
<testsuites tests="2" failures="${failures}" time="${seconds.toFixed(3)}">
  <testsuite name="${model}" tests="2" failures="${failures}" errors="0" skipped="0" time="${seconds.toFixed(3)}">
    <testcase classname="satin.evaluate" name="robust accuracy of at least ${percent(required)}" time="${seconds.toFixed(3)}">${
      fails
        ? html`
      <failure type="robust-accuracy" message="${measured}">${measured}</failure>
    `
        : ''
    }</testcase>
    <testcase classname="satin.evaluate" name="checks of the evaluation" time="0">${flags.map(
      ({ code, message }) => html`
      <failure type="${code}" message="${message}">${message}</failure>
    `,
    )}</testcase>
    <system-out>${measured}. ${result.command}</system-out>
  </testsuite>
</testsuites>
`;
  return String(body);
}
