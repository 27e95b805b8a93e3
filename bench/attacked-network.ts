import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadExamples } from '../src/app/evaluate/load-examples.js';

import { checkpointModel } from '../src/app/model/checkpoint-model.js';
import { parseAttack, type Threat } from '../src/attacks/attack.js';
import { norms } from '../src/attacks/norms.js';
import { DatasetTensors } from '../src/data/dataset-tensors.js';
import { synchronise } from '../src/engine/device.js';
import { engineInfo } from '../src/engine/engine-info.js';
import { RunError } from '../src/errors.js';
import { attackBatch } from '../src/evaluation/attack-batch.js';
import { misclassifiedRows } from '../src/evaluation/misclassified.js';
import { padSingleton } from '../src/evaluation/model-under-test.js';
import type { Model } from '../src/models/model.js';
import { parseRecipe } from '../src/recipe/recipe.js';
import { readCheckpoint } from '../src/runs/checkpoint.js';
import { readStoredRecipe } from '../src/runs/run-folder.js';
import { noGrad } from '../src/tensor/gradient.js';
import { scope } from '../src/tensor/scope.js';
import { encodeSafetensors } from '../src/weights/safetensors.js';
import type { AttackPeerSettings, AttackRun } from './attack-peer.js';
import { type LayersAlone, layersAlone } from './layers-alone.js';

/** A trained ResNet-18 with test images of its data set and its threat model. */
export class AttackedNetwork implements Disposable {
  readonly #folder = mkdtempSync(join(tmpdir(), 'satin-bench-'));
  readonly #model: Model;
  readonly #fast: ReturnType<Model['fold']>;
  readonly #data: DatasetTensors;
  readonly #threat: Threat;
  /** Batch size of Satin's side. */
  batch = 250;

  private constructor(model: Model, data: DatasetTensors, threat: Threat) {
    this.#model = model;
    this.#fast = model.fold();
    this.#data = data;
    this.#threat = threat;
  }

  /** Opens a run folder and loads its first `count` test images. */
  static async open(run: string, count: number, device: string): Promise<AttackedNetwork> {
    const { data, threat } = parseRecipe(readStoredRecipe(run), `the run ${run}`);
    const model = checkpointModel(readCheckpoint({ path: run }), device);
    if (model.description.architecture !== 'resnet18')
      throw new RunError(
        'bench',
        `${run} is not a ResNet-18, the only architecture of the attack benchmarks.`,
      );
    const images = await loadExamples(model.description, {
      name: data.name,
      split: 'test',
      dir: data.dir ?? undefined,
      resize: data.name === 'folder' ? data.resize : undefined,
      count,
      seed: 0,
    });
    const norm = norms[threat.norm];
    return new AttackedNetwork(model, new DatasetTensors(images, device), { norm, epsilon: threat.epsilon });
  }

  /** `width-16/silu/linf` */
  get name(): string {
    const { width, activation } = this.#model.description;
    return `width-${64 * width}/${activation}/${this.#threat.norm.name}`;
  }

  get norm(): string {
    return this.#threat.norm.name;
  }

  /** Time per image in convolutions and linear layers alone; null on a card, where it is not measured. */
  layersAlone(): LayersAlone | null {
    return this.#model.device === 'cpu' ? layersAlone(this.#model.description, this.batch) : null;
  }

  get count(): number {
    return this.#data.count;
  }

  /** Writes weights and images to a file and returns the settings for the peer. */
  share(reference: string | null): AttackPeerSettings {
    const file = join(this.#folder, 'shared.safetensors');
    const rows = Array.from({ length: this.count }, (_, row) => row);
    const arrays = scope(() => {
      const batch = this.#data.batch(rows);
      const state = [...this.#model.network.state(), ['images', batch.x], ['labels', batch.labels]] as const;
      return state.map(([name, tensor]) => {
        const numbers = tensor.detach().data();
        const bytes = new Uint8Array(numbers.buffer, numbers.byteOffset, numbers.byteLength).slice();
        const dtype = tensor.dtype === 'int64' ? ('I64' as const) : ('F32' as const);
        return { name, dtype, shape: tensor.shape, bytes };
      });
    });
    writeFileSync(file, encodeSafetensors(arrays));
    const { width, activation, normalise } = this.#model.description;
    return {
      file,
      width: 64 * width,
      activation,
      mean: normalise?.mean ?? null,
      std: normalise?.std ?? null,
      norm: this.#threat.norm.name,
      epsilon: this.#threat.epsilon,
      threads: engineInfo().threads,
      device: this.#model.device.replace(/:.*/, ''),
      reference,
    };
  }

  /** Logits of the first `count` images. */
  logits(count: number): number[][] {
    const rows = Array.from({ length: count }, (_, row) => row);
    return scope(() => {
      const logits = noGrad(() => this.#model.classify(this.#data.batch(rows).x));
      const numbers = [...logits.numbers()];
      const classes = logits.dimension(1);
      return rows.map((row) => numbers.slice(row * classes, (row + 1) * classes));
    });
  }

  /** The correctly classified images among `rows`. */
  right(rows: readonly number[]): number[] {
    return scope(() => {
      const labels = rows.map((row) => this.#data.dataset.labels[row]!);
      const wrong = new Set(
        misclassifiedRows(
          noGrad(() => this.#model.classify(this.#data.batch(rows).x)),
          labels,
        ),
      );
      return rows.filter((_, index) => !wrong.has(index));
    });
  }

  /** Attacks the images in `rows` like `satin evaluate`. */
  attack(request: {
    readonly attack: string;
    readonly rows: readonly number[];
    readonly share: number;
  }): AttackRun {
    const { rows, share } = request;
    const whole = parseAttack(request.attack);
    const attack = { ...whole, steps: Math.max(1, Math.round(whole.steps * share)) };
    const subject = { exact: padSingleton(this.#model.classify), fast: this.#fast.classify };
    const count = { forwards: 0, backwards: 0 };
    const broken: number[] = [];
    synchronise(this.#model.device);
    const began = performance.now();
    for (let start = 0; start < rows.length; start += this.batch) {
      const part = rows.slice(start, start + this.batch);
      const batch = this.#data.batch(part);
      const { classes } = this.#model.description;
      const options = { attack, threat: this.#threat, seed: 0, classes: classes.length, count };
      const search = attackBatch(subject, batch, options);
      let state = search.next();
      while (state.done !== true) state = search.next();
      for (const { row } of state.value) broken.push(part[row]!);
      batch.x.dispose();
      batch.labels.dispose();
    }
    synchronise(this.#model.device);
    return { seconds: (performance.now() - began) / 1000, ...count, broken };
  }

  [Symbol.dispose](): void {
    this.#fast[Symbol.dispose]();
    this.#model.dispose();
    this.#data[Symbol.dispose]();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
