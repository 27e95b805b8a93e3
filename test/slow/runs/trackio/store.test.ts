/** trackio's own command and library read the store of a run that was interrupted and resumed. SATIN_TRACKIO_PYTHON has trackio. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { trainRun } from '../../../../src/app/train/train-run.js';
import { InterruptedError } from '../../../../src/errors.js';
import { readEvents } from '../../../../src/runs/event-log.js';
import { scalarsOf } from '../../../../src/runs/scalars.js';
import { storeFolder } from '../../../../src/runs/trackio/store-folder.js';
import { tinyTraining, writeTinyMnist } from '../../../support/tiny-run.js';

const python = process.env.SATIN_TRACKIO_PYTHON;
const folder = mkdtempSync(join(tmpdir(), 'satin-trackio-reads-'));
after(() => rmSync(folder, { recursive: true }));

describe('trackio', {
  skip: python === undefined && 'SATIN_TRACKIO_PYTHON names no Python with trackio',
}, () => {
  const run = join(folder, 'run');
  const read = (...words: string[]): unknown => {
    const { status, stdout, stderr } = spawnSync(python!, words, {
      encoding: 'utf8',
      env: { ...process.env, TRACKIO_DIR: storeFolder(run), HF_HUB_OFFLINE: '1' },
    });
    assert.equal(status, 0, stderr);
    return JSON.parse(stdout);
  };
  const command = (...words: string[]) =>
    read('-c', 'import sys; from trackio.cli import main; sys.exit(main())', ...words, '--json');
  const train = (resume: boolean, stopAfter = Number.POSITIVE_INFINITY) => {
    writeTinyMnist(join(folder, 'mnist'));
    let asked = 0;
    const recipe = tinyTraining(join(folder, 'mnist'));
    const interrupted = () => asked++ >= stopAfter;
    return trainRun({ recipe, path: run, resume, trackio: true, interrupted, onEvent: () => {} });
  };

  it('shows what the events say, once, after an interruption too', async () => {
    await assert.rejects(train(false, 12), InterruptedError);
    // It is read meanwhile, which changes the file to a write-ahead log.
    assert.ok(JSON.stringify(command('list', 'runs', '--project', 'tiny')).includes('run'));
    await train(true);
    const values = readEvents(run).flatMap((event) =>
      scalarsOf(event).map(({ tag, value }) => ({ tag, value, step: 'step' in event ? event.step : 0 })),
    );
    const tags = [...new Set(values.map(({ tag }) => tag))].sort();
    const listed = command('list', 'metrics', '--project', 'tiny', '--run', 'run');
    assert.deepEqual((listed as { metrics: string[] }).metrics.sort(), tags);
    for (const metric of tags) {
      const found = command('get', 'metric', '--project', 'tiny', '--run', 'run', '--metric', metric);
      assert.deepEqual(
        (found as { values: { step: number; value: number }[] }).values.map(({ step, value }) => ({
          step,
          value,
        })),
        values.filter(({ tag }) => tag === metric).map(({ step, value }) => ({ step, value })),
        metric,
      );
    }
    const program = [
      'import json, trackio',
      "run = trackio.Api().runs('tiny')[0]",
      'print(json.dumps({"name": run.name, "config": run.config}))',
    ].join('\n');
    const { name, config } = read('-c', program) as {
      name: string;
      config: { training: { epochs: number } };
    };
    assert.equal(name, 'run');
    assert.equal(config.training.epochs, 3);
  });
});
