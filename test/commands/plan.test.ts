import assert from 'node:assert/strict';
import { after, it } from 'node:test';
import { commandLines } from '../support/command-lines.js';

const lines = commandLines();
after(() => lines.close());

it('satin plan tells what a run takes by a data sheet, as a table and as JSON', async () => {
  const words = ['plan', 'fashion-mnist-silu', '--device', 'a100', '--count', '2'];
  const { status, stdout } = await lines.run(words);
  assert.equal(status, 0);
  assert.match(
    stdout,
    /^fashion-mnist-silu\nnetwork +[\d.]+ M parameters, [\d.]+ M multiply-accumulates per image\n/,
  );
  assert.match(stdout, /\ndevice +2 times NVIDIA A100 .*; communication not included\n/);
  assert.match(stdout, /\nspeed +[\d,]+ img\/s \(data sheet, not measured\)\n/);
  const json = JSON.parse((await lines.run([...words, '--json', '-'])).stdout);
  assert.deepEqual([json.recipe, json.basis, json.count], ['fashion-mnist-silu', 'data sheet', 2]);
});

it('it tells the most time that a run takes which may stop early', async () => {
  const words = ['plan', 'fashion-mnist-silu', '--device', 'a100'];
  const timeOf = (stdout: string) => /\ntime +(.*)\n/.exec(stdout)?.[1];
  const whole = timeOf((await lines.run(words)).stdout);
  const patient = timeOf((await lines.run([...words, '--set', 'training.patience=2'])).stdout);
  assert.equal(patient, `at most ${whole}`);
});

it('it says where the memory of a device does not suffice', async () => {
  const words = ['plan', 'imagenet-resnet50-silu', '--device', 'v100', '--set', 'training.batch=16384'];
  const { status, stdout, stderr } = await lines.run(words);
  assert.equal(status, 0, stderr);
  assert.match(stdout, /\nThis exceeds the device memory of 32\.0 GiB: increase --count/);
});

it('it refuses another device, with those that there are', async () => {
  const { status, stderr } = await lines.run(['plan', 'fashion-mnist-silu', '--device', 'abacus']);
  assert.equal(status, 2);
  assert.match(stderr, /cpu, cuda, cuda:N or one of h100, a100, l40s, v100 for --device/);
});
