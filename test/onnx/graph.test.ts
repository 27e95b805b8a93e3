import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { fromBinary } from '@bufbuild/protobuf';
import { InputError } from '../../src/errors.js';
import { ModelProtoSchema } from '../../src/onnx/generated/onnx_pb.js';
import { Graph } from '../../src/onnx/graph.js';
import { runOnnx } from '../support/onnx-runtime.js';

const named = { producer: { name: 'test', version: '1' }, metadata: new Map([['key', 'value']]) };

describe('a graph', () => {
  it('computes what its nodes say, for any batch', async () => {
    const graph = new Graph('test');
    const x = graph.input('x', [2]);
    const sum = graph.node('Add', [x, graph.constant([1, 2], [2])]);
    graph.output('y', graph.node('LeakyRelu', [sum], { alpha: { real: 0.5 } }), [2]);
    const feed = (...values: number[]) => ({
      x: { values: Float32Array.from(values), shape: [values.length / 2, 2] },
    });
    const [one, two] = await runOnnx(graph.encode(named), [feed(1, -4), feed(0, 0, -3, 1)]);
    assert.deepEqual([...one!.y!.values], [2, -1]);
    assert.deepEqual([...two!.y!.values], [1, 2, -1, 3]);
  });

  it('gives each value a name of its own, and stores equal small constants once', () => {
    const graph = new Graph('test');
    assert.equal(graph.number(0.5), graph.number(0.5));
    assert.notEqual(graph.number(0.5), graph.constant([0.5], [1]));
    assert.equal(graph.integers([2, 3]), graph.integers([2, 3]));
    const [first, second] = [graph.constant([1, 2], [2], 'weight'), graph.constant([1, 2], [2], 'weight')];
    assert.deepEqual([first, second], ['weight', 'weight_2']);
    const owner = {};
    assert.equal(
      graph.sharedBy(owner, () => 'a'),
      graph.sharedBy(owner, () => 'b'),
    );
  });

  it('carries texts and its producer', () => {
    const { metadataProps, producerName, irVersion } = fromBinary(
      ModelProtoSchema,
      new Graph('test').encode(named),
    );
    assert.deepEqual(
      metadataProps.map(({ key, value }) => [key, value]),
      [['key', 'value']],
    );
    assert.deepEqual([producerName, irVersion], ['test', 10n]);
  });

  it('of more than 2 GiB is refused before it is encoded', () => {
    const graph = new Graph('test');
    // Numbers that are views of one buffer take no memory of their own.
    const values = new Float32Array(2 ** 27);
    for (let count = 0; count < 4; count++) graph.constant(values, [values.length], 'weight');
    assert.throws(
      () => graph.encode(named),
      (error) => error instanceof InputError && /at most 2 GiB.*but received '?2\.0 GiB/.test(error.message),
    );
  });
});
