/** The JUnit file of an evaluation: what fails, what passes, and names that would break the XML. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { EvaluationResult } from '../../../src/evaluation/result.js';
import { junit } from '../../../src/report/evaluation/junit.js';

const result = {
  model: 'runs/a<b>&"c"',
  robust: 0.345,
  examples: 200,
  flags: [],
  seconds: 1.5,
  norm: 'linf',
  epsilonText: '8/255',
  attacks: [{ name: 'apgd-ce' }, { name: 'apgd-t' }],
  command: './satin evaluate "x" && y',
} as unknown as EvaluationResult;

describe('the JUnit file', () => {
  it('has no failure where the requirement holds, and escapes names', () => {
    const xml = junit(result, 0.345);
    assert.match(
      xml,
      /^<\?xml version="1\.0" encoding="UTF-8"\?>\n<testsuites tests="2" failures="0" time="1\.500">/,
    );
    assert.doesNotMatch(xml, /<failure/);
    assert.ok(xml.includes('name="runs/a&lt;b&gt;&amp;&quot;c&quot;"'));
    assert.ok(xml.includes('34.5 % of 200 images withstand apgd-ce, apgd-t (L∞, ε = 8/255)'));
    assert.ok(xml.includes('&amp;&amp; y'));
  });

  it('fails below the requirement', () => {
    const xml = junit(result, 0.35);
    assert.match(
      xml,
      /failures="1"[\s\S]*name="robust accuracy of at least 35\.0 %"[^>]*>\s*<failure type="robust-accuracy"/,
    );
  });

  it('fails for what the checks found', () => {
    const flags = [{ code: 'staircase', message: 'The loss is < flat.' }];
    const xml = junit({ ...result, flags } as unknown as EvaluationResult, 0.1);
    assert.match(
      xml,
      /failures="1"[\s\S]*name="checks of the evaluation" time="0">\s*<failure type="staircase" message="The loss is &lt; flat\.">/,
    );
  });
});
