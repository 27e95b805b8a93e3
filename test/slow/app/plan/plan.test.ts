/** The promise: on this machine a plan is within a quarter of the speed that training then has. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, it } from 'node:test';
import { plan } from '../../../../src/app/plan/plan.js';
import { trainRun } from '../../../../src/app/train/train-run.js';
import { loadRecipe } from '../../../../src/recipe/load-recipe.js';

const folder = mkdtempSync(join(tmpdir(), 'satin-plan-'));
after(() => rmSync(folder, { recursive: true }));

const short = ['training.epochs=1', 'data.examples=3000', 'validation.examples=20', 'training.guard=null'];
const cases = [
  { recipe: 'fashion-mnist-silu', steps: 40, set: ['training.schedule.warmup=0.5'] },
  { recipe: 'fashion-mnist-trades', steps: 12, set: ['training.schedule.warmup=0.5'] },
  {
    recipe: 'fashion-mnist-silu',
    steps: 12,
    set: [
      'training.schedule.warmup=0.5',
      'model.name=resnet18',
      'model.width=0.25',
      'training.attack.steps=3',
    ],
  },
];

for (const [place, { recipe: name, steps, set }] of cases.entries())
  it(`the plan of ${name} ${set.slice(1).join(' ')} is within a quarter of the measured speed`, async () => {
    const recipe = loadRecipe(name, { set: [...short, `training.epochSteps=${steps}`, ...set] });
    const planned = await plan(recipe);
    const speeds: number[] = [];
    await trainRun({
      recipe,
      path: join(folder, String(place)),
      resume: false,
      interrupted: () => false,
      onEvent: (event) => {
        if (event.type === 'step') speeds.push(event.imagesPerSecond);
      },
    });
    const measured = speeds.slice(2).sort((a, b) => a - b)[Math.floor((steps - 2) / 2)]!;
    const quotient = planned.imagesPerSecond / measured;
    console.log(
      `${name}: planned ${planned.imagesPerSecond.toFixed(0)}, measured ${measured.toFixed(0)} img/s`,
    );
    assert.ok(quotient > 0.75 && quotient < 1.25, `planned over measured: ${quotient}`);
  });
