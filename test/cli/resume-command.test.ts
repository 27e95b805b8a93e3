import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { withResumeCommand, withResumeOfRun, withSameCommand } from '../../src/cli/resume-command.js';
import { InputError, InterruptedError } from '../../src/errors.js';

const folder = mkdtempSync(join(tmpdir(), 'satin-resume-command-'));
after(() => rmSync(folder, { recursive: true }));
const interrupted = new InterruptedError('Interrupted.');

describe('an interruption of an evaluation', () => {
  it('is left alone where nothing was stored yet, as in the checks', () => {
    assert.equal(withResumeCommand(interrupted, 'runs/a', null), interrupted);
    assert.equal(withResumeCommand(interrupted, 'runs/a', folder), interrupted);
  });

  it('names the command that resumes it, where something was', () => {
    writeFileSync(join(folder, 'manifest.json'), '{}');
    const error = withResumeCommand(interrupted, 'runs/a', folder);
    assert.ok(error instanceof InterruptedError && error.cause === interrupted);
    assert.equal(error.message, `Interrupted. Continue with: ./satin evaluate runs/a --resume ${folder}`);
  });

  it('is told from other errors, which stay', () => {
    const other = InputError.expected('a', 'b', 'c');
    assert.equal(withResumeCommand(other, 'runs/a', folder), other);
  });
});

describe('an interruption of a training run', () => {
  it('names the command that resumes it without its recipe, where there is a run', () => {
    const stopped = new InterruptedError('Interrupted after step 3. Continue with `resume`.');
    assert.equal(withResumeOfRun(stopped, folder), stopped);
    writeFileSync(join(folder, 'recipe.json'), '{}');
    const error = withResumeOfRun(stopped, folder);
    assert.ok(error instanceof InterruptedError && error.cause === stopped);
    assert.equal(error.message, `Interrupted after step 3. Continue with: ./satin train ${folder} --resume`);
    const other = InputError.expected('a', 'b', 'c');
    assert.equal(withResumeOfRun(other, folder), other);
  });
});

describe('an interruption of a command that resumes by itself', () => {
  it('says where the progress is; other errors stay', () => {
    const error = withSameCommand(interrupted, 'runs/a');
    assert.ok(error instanceof InterruptedError && error.cause === interrupted);
    assert.match(error.message, /saved in runs\/a\. Run the same command/);
    const other = InputError.expected('a', 'b', 'c');
    assert.equal(withSameCommand(other, 'runs/a'), other);
  });
});
