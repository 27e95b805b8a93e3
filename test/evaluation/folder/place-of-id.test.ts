import assert from 'node:assert/strict';
import { it } from 'node:test';
import { placesOfIds } from '../../../src/evaluation/folder/place-of-id.js';
import { random } from '../../support/mutants.js';

it('finds what a map finds, and nothing of ids that are not there', () => {
  const below = random(1);
  const ids = Uint32Array.from({ length: 500 }, () => below(700) * 6_000_000);
  const map = new Map(Array.from(ids, (id, place) => [id, place]));
  const placeOf = placesOfIds(ids);
  for (let at = -1; at < 701; at++)
    assert.equal(placeOf(at * 6_000_000), map.get(at * 6_000_000), String(at));
  for (const id of [0.5, 1, 2 ** 33, Number.NaN]) assert.equal(placeOf(id), undefined);
  assert.equal(placesOfIds([])(0), undefined);
});
