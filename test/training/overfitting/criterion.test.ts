/** What counts as catastrophic overfitting. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  type Accuracies,
  catastrophicOverfitting,
  chanceLevel,
} from '../../../src/training/overfitting/criterion.js';

const well: Accuracies = { clean: 0.8, fgsm: 0.6, pgd5: 0.5, pgd10: 0.5 };
const chance = 0.2;

/** What is said of two checks in a row. */
const seenAfter = (before: Accuracies | null, now: Accuracies, by = chance) =>
  catastrophicOverfitting(now, before && { ...before, step: 10 }, by);

describe('catastrophic overfitting', () => {
  it('is a fall of PGD-5 accuracy by more than 0.2 between checks', () => {
    assert.equal(seenAfter({ ...well, pgd5: 0.5 }, { ...well, pgd5: 0.31, pgd10: 0.31 }), null);
    assert.equal(seenAfter({ ...well, pgd5: 0.375 }, { ...well, pgd5: 0.1875, pgd10: 0.4 }), null);
    const seen = seenAfter({ ...well, pgd5: 0.5 }, { ...well, pgd5: 0.29, pgd10: 0.45 });
    assert.equal(seen, 'accuracy under PGD-5 is 29.0 %, and was 50.0 % after step 10');
    assert.equal(
      seenAfter(null, { ...well, pgd5: 0, pgd10: 0.45 }),
      null,
      'the first check has nothing to fall from',
    );
  });

  it('is FGSM accuracy more than 0.3 above that of PGD-10', () => {
    assert.equal(seenAfter(well, { ...well, fgsm: 0.75, pgd10: 0.46 }), null);
    const seen = seenAfter(null, { ...well, fgsm: 0.75, pgd10: 0.44 });
    assert.equal(seen, 'accuracy is 75.0 % under one step (FGSM), but 44.0 % under ten (PGD-10)');
  });

  it('is not seen in a network that knows no more than luck would give it', () => {
    assert.equal(seenAfter({ ...well, pgd5: 0.55 }, { ...well, pgd5: 0.1, pgd10: 0.4 }, 0.6), null);
    assert.ok(seenAfter({ ...well, pgd5: 0.55 }, { ...well, pgd5: 0.1, pgd10: 0.4 }, 0.5) !== null);
    assert.equal(seenAfter(null, { ...well, clean: 0.55, fgsm: 0.5, pgd10: 0.1 }, 0.6), null);
    assert.ok(seenAfter(null, { ...well, clean: 0.55, fgsm: 0.5, pgd10: 0.1 }, 0.5) !== null);
  });

  it('is not seen in a network that has forgotten everything: that is another trouble', () => {
    const nothing = { clean: 0.2, fgsm: 0.1, pgd5: 0.1, pgd10: 0.1 };
    assert.equal(seenAfter(well, nothing), null);
    assert.ok(seenAfter(well, { ...nothing, clean: 0.21 }) !== null);
  });

  it('knows the luck of a set: its commonest class, and two standard errors', () => {
    const labels = Array.from({ length: 100 }, (_, at) => (at < 36 ? 1 : at % 2 === 0 ? 0 : 2));
    assert.equal(chanceLevel(labels), 0.36 + 2 * 0.048);
    assert.equal(chanceLevel([3, 3]), 1);
  });
});
