/** Errors of the library name its options, and the command line shows the flags of the command that was run. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Command } from '@commander-js/extra-typings';
import { withFlags } from '../../src/cli/flags-in-messages.js';

const command = new Command()
  .option('--new-head')
  .option('--resume')
  .option('--input-range <range>')
  .option('--mean <list>')
  .option('--std <list>')
  .option('--data-dir <folder>');

describe('an option in an error', () => {
  it('is shown as its flag', () => {
    assert.equal(withFlags('Set `newHead`, or `resume`.', command), 'Set --new-head, or --resume.');
  });

  it('is shown as the flags that stand for it, where the command line has others', () => {
    assert.equal(withFlags('for `preprocessing`', command), 'for --input-range, --mean and --std');
    assert.equal(withFlags('by `dir`', command), 'by --data-dir');
  });

  it('stays where the command has no such flag, and where it is no option at all', () => {
    const other = 'Use `folder`, `npm run setup` or `x`.';
    assert.equal(withFlags(other, command), other);
    assert.equal(withFlags('Set `newHead`.', undefined), 'Set `newHead`.');
  });
});
