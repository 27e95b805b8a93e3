/** Lists in assignments: what is one, what is a value with a comma in it, and the order of the combinations. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { InputError } from '../../src/errors.js';
import { combinations } from '../../src/recipe/combinations.js';

const sets = (...assignments: string[]) => combinations(assignments).all.map(({ set }) => set);

describe('combinations', () => {
  it('are every value with every other, the last list fastest, and what is no list with each', () => {
    const { settings, all } = combinations(['a.b=1, 2', 'c=x', 'd=u,v']);
    assert.deepEqual(settings, ['a.b', 'd']);
    assert.deepEqual(all, [
      { set: ['a.b=1', 'c=x', 'd=u'], values: ['1', 'u'] },
      { set: ['a.b=1', 'c=x', 'd=v'], values: ['1', 'v'] },
      { set: ['a.b=2', 'c=x', 'd=u'], values: ['2', 'u'] },
      { set: ['a.b=2', 'c=x', 'd=v'], values: ['2', 'v'] },
    ]);
  });

  it('of no list are the assignments as they are', () => {
    for (const assignment of [
      'training.schedule.milestones=[10,20]',
      'model.normalise={mean: [0.5, 0.4], std: [0.2, 0.2]}',
      'training.derivatives={attack: softplus(10), update: softplus(10)}',
      'name="a,b"',
      "name='a,b'",
      'description=first, second',
      'data.dir=/photographs, old',
      'a=[1,2',
      'no assignment, at all',
      'a=',
    ])
      assert.deepEqual(combinations([assignment]), {
        settings: [],
        all: [{ set: [assignment], values: [] }],
      });
  });

  it('of lists of lists split outside the brackets alone', () => {
    assert.deepEqual(sets('schedule.milestones=[10,20],[15]'), [
      ['schedule.milestones=[10,20]'],
      ['schedule.milestones=[15]'],
    ]);
    assert.deepEqual(sets('model.activation=softplus(10),"silu"'), [
      ['model.activation=softplus(10)'],
      ['model.activation="silu"'],
    ]);
    assert.deepEqual(sets("a=it's,b"), [["a=it's"], ['a=b']]);
  });

  it('refuse an empty value, one given twice, a setting with two lists, and more than anybody trains', () => {
    for (const assignment of ['a=1,', 'a=,1', 'a=1,,2'])
      assert.throws(() => combinations([assignment]), /^InputError: Expected a value before and after each/);
    assert.throws(() => combinations(['a=1,2,1']), /Expected each value once for `set` of a/);
    assert.throws(() => combinations(['a=1,2', 'a=3,4']), /Expected one list for `set` of a/);
    const ten = Array.from({ length: 10 }, (_, value) => value).join(',');
    assert.throws(() => combinations([`a=${ten}`, `b=${ten}`, `c=${ten}`]), InputError);
  });
});
