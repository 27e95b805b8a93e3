import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { deviceOfRank } from '../../src/app/device-of-rank.js';
import { singleProcess } from '../../src/distributed/process-group.js';
import { cardName, cards, chooseDevice, deviceMemory, synchronise } from '../../src/engine/device.js';
import { isDeviceName } from '../../src/engine/device-name.js';
import { native } from '../../src/engine/native.js';
import { setTensorFloat32, withTensorFloat32 } from '../../src/engine/precision.js';
import { InputError } from '../../src/errors.js';
import { isSameKind, placeName } from '../../src/provenance/place.js';
import { zeros } from '../../src/tensor/create.js';

const hasCard = cards().length > 0;

describe('a device', () => {
  it('has a name that says which it is', () => {
    for (const name of ['cpu', 'cuda', 'cuda:0', 'cuda:12']) assert.ok(isDeviceName(name), name);
    for (const name of ['', 'gpu', 'cuda:', 'cuda:-1', 'CUDA', 'cpu:0', 'cuda:0 '])
      assert.ok(!isDeviceName(name), name);
  });

  it('is of the kind of another if both round alike', () => {
    const card = 'NVIDIA H100';
    assert.ok(isSameKind({ device: 'cuda:0', card }, { device: 'cuda:3', card }));
    assert.ok(isSameKind({ device: 'cpu' }, { device: 'cpu', card: null }));
    assert.ok(!isSameKind({ device: 'cuda:0', card }, { device: 'cuda:0', card: 'NVIDIA A100' }));
    assert.ok(!isSameKind({ device: 'cpu' }, { device: 'cuda:0', card }));
    assert.equal(placeName({ device: 'cuda:3', card }), 'cuda:3 (NVIDIA H100)');
    assert.equal(placeName({ device: 'cpu' }), 'cpu');
  });

  it('is the first card, or the CPU where there is none', () => {
    assert.equal(chooseDevice(), hasCard ? 'cuda:0' : 'cpu');
    assert.equal(chooseDevice('cpu'), 'cpu');
    assert.equal(deviceOfRank('auto'), chooseDevice());
    assert.equal(cardName('cpu'), null);
    assert.equal(deviceMemory('cpu'), Number.POSITIVE_INFINITY);
    synchronise(chooseDevice());
  });

  it('is the card of each rank, so that several cannot be given one', () => {
    const group = { ...singleProcess, size: 2 };
    assert.equal(deviceOfRank('cpu', { group }), 'cpu');
    assert.throws(
      () => deviceOfRank('cuda:1', { group, source: 'device of the recipe' }),
      /Expected cuda for device of the recipe but received 'cuda:1'\. Each of the 2 ranks takes one card/,
    );
  });

  it('is refused where it is not there', () => {
    assert.throws(() => chooseDevice('gpu'), /Expected cpu, cuda or cuda:N for `device` but received 'gpu'/);
    assert.throws(() => chooseDevice('cuda:99'), InputError);
    assert.throws(() => chooseDevice('cuda:99', 'device of the recipe'), /for device of the recipe but/);
    assert.throws(() => zeros([1], 'float32', 'cuda:99'), InputError);
    assert.throws(
      () => zeros([1], 'float32', 'gpu'),
      /Expected cpu, meta or cuda:N for device but received 'gpu'/,
    );
  });

  it('that is a card is refused with the reason on a machine without one', { skip: hasCard }, () => {
    const reason =
      /^Expected cpu for `device` but received 'cuda'\. (This engine has no CUDA|No graphics card)/;
    assert.throws(
      () => chooseDevice('cuda'),
      (error) => error instanceof InputError && reason.test(error.message),
    );
  });
});

describe('TF32', () => {
  const isAllowed = () => {
    const before = native().setTensorFloat32(false);
    native().setTensorFloat32(before);
    return before;
  };

  it('is off unless it is asked for, unlike in libtorch', () => {
    assert.equal(isAllowed(), false);
  });

  it('is what it was before once it was not needed any more', () => {
    {
      using _setting = setTensorFloat32(true);
      assert.ok(isAllowed());
      assert.equal(
        withTensorFloat32(false, () => isAllowed()),
        false,
      );
      assert.ok(isAllowed());
      assert.throws(() =>
        withTensorFloat32(false, () => {
          throw new RangeError();
        }),
      );
      assert.ok(isAllowed());
    }
    assert.equal(isAllowed(), false);
  });
});
