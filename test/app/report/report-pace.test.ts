/** The time left of a report: of all networks, their evaluations and curves. */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { curveShare, ReportPace } from '../../../src/app/report/report-pace.js';

let seconds = 0;
const paceOf = (networks: number, curveShare: number) =>
  new ReportPace({ networks, curveShare, now: () => 1000 * seconds });

it('counts what is not begun by what the same took before, and by the share until then', () => {
  seconds = 0;
  const pace = paceOf(3, 0.5);
  pace.begin();
  assert.deepEqual(pace.left('evaluation', undefined), {});
  seconds = 10;
  // An evaluation of 40 s: 30 of this one, two more, and three curves of half of it.
  assert.deepEqual(pace.left('evaluation', 30), { secondsLeft: 30 + 2 * 40 + 3 * 20 });
  seconds = 50;
  pace.end('evaluation');
  pace.begin();
  assert.deepEqual(pace.left('curve', { done: 0, total: 8 }), {});
  seconds = 60;
  // A quarter of the curve in 10 s: 30 of this one, two of 40; two evaluations of 50.
  assert.deepEqual(pace.left('curve', { done: 2, total: 8 }), { secondsLeft: 30 + 2 * 40 + 2 * 50 });
  seconds = 70;
  pace.end('curve');
  pace.begin();
  assert.deepEqual(pace.left('evaluation', 45), { secondsLeft: 45 + 50 + 2 * 20 });
});

it('of one network without a curve is that of its evaluation', () => {
  assert.deepEqual(paceOf(1, 0).left('evaluation', 12), { secondsLeft: 12 });
});

it('the share of a curve is that of its passes', () => {
  const options = { examples: 200, points: 6, evaluated: 1000, classes: 10 };
  assert.equal(curveShare({ ...options, attacks: ['apgd-ce'] }), 1.2);
  assert.equal(curveShare({ ...options, attacks: ['apgd-ce', 'apgd-dlr'] }), 0.6);
  assert.equal(curveShare({ ...options, attacks: ['apgd-ce'], evaluated: 100 }), 6);
});
