import assert from 'node:assert/strict';
import { appendFileSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { writeCheckpoint } from '../../src/runs/checkpoint.js';
import { readEvents } from '../../src/runs/event-log.js';
import {
  defaultRunPath,
  readManifest,
  readStoredRecipe,
  resumeRunFolder,
} from '../../src/runs/run-folder.js';
import { firstDifference } from '../../src/user-input/first-difference.js';
import { create, folder, manifest, recipe, refused, step, time } from '../support/run-folders.js';

function checkpoint(run: string, stepsDone: number): void {
  const model = {
    architecture: 'resnet20' as const,
    width: 1,
    activation: 'relu',
    classes: ['a'],
    shape: [1, 1, 1] as [number, number, number],
    normalise: null,
  };
  writeCheckpoint({ run, name: 'last', step: stepsDone, model, weights: [], state: { epoch: 1 } });
}

describe('a new run folder', () => {
  it('holds recipe and manifest before anything else happens', () => {
    using run = create('new');
    assert.deepEqual(readStoredRecipe(run.path), recipe);
    assert.deepEqual(readManifest(run.path), manifest);
    assert.deepEqual(readEvents(run.path), []);
    assert.equal(manifest.node, process.versions.node);
    assert.match(manifest.commit ?? '0'.repeat(40), /^[0-9a-f]{40}(-dirty)?$/);
  });

  it('is refused where a run, or anything else, is there', () => {
    create('exists').close();
    assert.throws(() => create('exists'), refused(/Use another folder \(`out`\), or `resume`/));
    mkdirSync(join(folder, 'photos'));
    writeFileSync(join(folder, 'photos/cat.jpg'), '');
    assert.throws(() => create('photos'), refused(/Use another folder \(`out`\)\.$/));
    assert.deepEqual(readdirSync(join(folder, 'photos')), ['cat.jpg']);
    assert.throws(() => create('photos/cat.jpg/run'), refused(/run but a part of its path is no folder/));
    writeFileSync(join(folder, 'file'), '');
    assert.throws(() => create('file'), refused(/does not exist yet/));
  });

  it('can be created where a process was killed while it made one', () => {
    mkdirSync(join(folder, 'early'));
    writeFileSync(join(folder, 'early/manifest.json.tmp'), '{');
    writeFileSync(join(folder, 'early/events.jsonl'), '');
    using run = create('early');
    assert.deepEqual(readStoredRecipe(run.path), recipe);
  });

  it('is named after recipe and seed by default', () => {
    assert.equal(defaultRunPath('fashion-mnist-silu', 3), join('runs', 'fashion-mnist-silu-3'));
  });
});

describe('a resumed run', () => {
  it('goes on after its last checkpoint, with nothing counted twice', () => {
    const first = create('resumed');
    for (const number of [1, 2, 3]) first.appendEvent(step(number));
    checkpoint(first.path, 2);
    appendFileSync(join(first.path, 'events.jsonl'), '{"type":"step","ti');
    first.close();
    const { run, checkpoint: last } = resumeRunFolder({ path: first.path, recipe });
    assert.equal(last?.progress?.step, 2);
    assert.deepEqual(run.manifest, manifest);
    run.appendEvent(step(3, 7));
    run.close();
    assert.deepEqual(readEvents(run.path), [step(1), step(2), step(3, 7)]);
  });

  it('begins anew where it was killed before the first checkpoint', () => {
    const first = create('begins');
    first.appendEvent({ type: 'start', time, epochs: 3, stepsPerEpoch: 10, parameters: 5 });
    first.appendEvent(step(1));
    first.close();
    const { run, checkpoint: last } = resumeRunFolder({ path: first.path, recipe });
    run.close();
    assert.equal(last, null);
    assert.deepEqual(readEvents(run.path), []);
  });

  it('is refused with another recipe, and the difference is named', () => {
    const { path, close } = create('differs');
    close();
    const other = { ...recipe, training: { ...recipe.training, schedule: { learningRate: 0.2 } } };
    assert.throws(
      () => resumeRunFolder({ path, recipe: other }),
      refused(/training\.schedule\.learningRate is 0\.2 and was 0\.1/),
    );
    resumeRunFolder({ path, recipe }).run.close();
  });

  it('is refused where there is no run or its last checkpoint is damaged', () => {
    assert.throws(
      () => resumeRunFolder({ path: join(folder, 'nothing'), recipe }),
      refused(/Expected a run folder/),
    );
    const { path, close } = create('damaged');
    checkpoint(path, 2);
    close();
    writeFileSync(join(path, 'checkpoints/last.json'), '{');
    assert.throws(() => resumeRunFolder({ path, recipe }), refused(/last\.json/));
    checkpoint(path, 3);
    resumeRunFolder({ path, recipe }).run.close();
  });

  it('names the first difference of two recipes, missing keys and arrays too', () => {
    assert.equal(firstDifference({ a: [1, { b: 2 }] }, { a: [1, { b: 2 }] }), undefined);
    assert.deepEqual(firstDifference({ a: 1, c: 2 }, { a: 1 }), { path: 'c', first: 2, second: undefined });
    assert.deepEqual(firstDifference({ a: [1, 2] }, { a: [1, 3] }), {
      path: 'a',
      first: [1, 2],
      second: [1, 3],
    });
  });
});
