/** The options that the table of an evaluation names beside a flag exist. */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { parseDerivative } from '../../../src/activations/parse.js';
import { parseAttack } from '../../../src/attacks/attack.js';
import { attackNamesOf } from '../../../src/attacks/autoattack.js';
import { evaluateCommand } from '../../../src/cli/commands/evaluate.js';
import { flagHints } from '../../../src/cli/terminal/flag-hints.js';

it('the options named beside a flag are those of satin evaluate, with values that it takes', () => {
  const known = new Set(evaluateCommand().options.map(({ long }) => long));
  const options = Object.values(flagHints).flatMap((hint) => hint?.split(', ') ?? []);
  assert.ok(options.length > 10, `${options.length} options`);
  for (const option of options) {
    const [flag = '', value] = option.split(' ');
    assert.ok(known.has(flag), option);
    if (flag === '--attack') parseAttack(value!);
    if (flag === '--autoattack') attackNamesOf(value!, 'linf');
    if (flag === '--surrogate') parseDerivative(value!.replaceAll('"', ''));
  }
});
