import { parseActivation } from '../src/activations/parse.js';
import { pgd } from '../src/attacks/pgd.js';
import type { Batch } from '../src/data/dataset-tensors.js';
import type { Architecture } from '../src/models/architectures/architecture.js';
import { architectures } from '../src/models/architectures/registry.js';
import { ActivationLayer } from '../src/nn/activation-layer.js';
import { Initialiser } from '../src/nn/initialise.js';
import { crossEntropy } from '../src/nn/losses.js';
import { gradients } from '../src/tensor/gradient.js';
import { operator } from '../src/tensor/operator.js';
import { one, type Tensor } from '../src/tensor/tensor.js';
import { attack, Step, shape } from './step.js';

/**
 * The same step with libtorch's separate operators after the convolutions: batch norm, residual sum and ReLU. A
 * baseline for Satin's ReLU, so that activations are not compared with a slow implementation.
 */
export class LibtorchReluStep extends Step {
  readonly #network: Architecture;

  constructor(width: number) {
    const network = architectures.resnet18({
      channels: shape[0],
      classes: 10,
      width: width / 64,
      activate: () => new LibtorchRelu(),
      initialiser: new Initialiser(0, 'float32'),
    });
    super(network.parameters());
    this.#network = network;
  }

  protected computeGradients({ x, labels, ids }: Batch, epoch: number): readonly Tensor[] {
    const { norm, epsilon } = attack;
    const network = this.#network;
    const key = { seed: 0, stream: 'trainingAttack', epoch } as const;
    const start = norm.randomStart(x, { epsilon, key, ids });
    // A pass that supports double backward uses separate operators.
    const classify = (images: Tensor) =>
      network.frozen(() => network.forward(images, { train: false, doubleBackward: true }));
    const adversarial = pgd(classify, { x, labels, start }, attack);
    const loss = crossEntropy(network.forward(adversarial, { train: true, doubleBackward: true }), labels);
    return gradients([loss], [...network.parameters().values()]);
  }

  override [Symbol.dispose](): void {
    super[Symbol.dispose]();
    this.#network.dispose();
  }
}

class LibtorchRelu extends ActivationLayer {
  constructor() {
    super(parseActivation('relu'), 'float32');
  }

  override forward(x: Tensor): Tensor {
    return one(relu, x.handle);
  }
}

const relu = operator('aten::relu');
