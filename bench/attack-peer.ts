import { z } from 'zod';
import { Worker } from './rival.js';

/** Network, images and threat model for the peer. */
export interface AttackPeerSettings {
  /** A safetensors file with the weights under PyTorch's names, `images` and `labels`. */
  readonly file: string;
  readonly width: number;
  readonly activation: string;
  readonly mean: readonly number[] | null;
  readonly std: readonly number[] | null;
  readonly norm: string;
  readonly epsilon: number;
  readonly threads: number;
  /** `cpu` or `cuda` */
  readonly device: string;
  readonly reference: string | null;
}

/** Execution settings of the peer. */
export interface AttackPeerConfiguration {
  readonly batch: number;
  readonly channelsLast: boolean;
  /** Whether `requires_grad` is off for the weights. */
  readonly frozen: boolean;
}

const run = z.object({
  seconds: z.number(),
  forwards: z.number(),
  backwards: z.number(),
  broken: z.array(z.number()),
});

/** Time, passes and broken images of an attack; passes are counted in images. */
export type AttackRun = z.infer<typeof run>;

const ready = z.object({ ready: z.literal(true) });

/** A PyTorch worker that runs the reference implementation of an attack. */
export class AttackPeer extends Worker {
  constructor(python: string) {
    super(python, 'attacks.py');
  }

  async setUp(settings: AttackPeerSettings): Promise<void> {
    await this.ask(`setup ${JSON.stringify(settings)}`, ready);
  }

  async configure(configuration: AttackPeerConfiguration): Promise<void> {
    await this.ask(`configure ${JSON.stringify(configuration)}`, ready);
  }

  /** Logits of the first `count` images. */
  async logits(count: number): Promise<number[][]> {
    const { logits } = await this.ask(`logits ${count}`, z.object({ logits: z.array(z.array(z.number())) }));
    return logits;
  }

  /** Attacks the images in `rows`. */
  async attack(request: {
    readonly attack: string;
    readonly rows: readonly number[];
    readonly share: number;
  }): Promise<AttackRun> {
    return this.ask(`attack ${JSON.stringify(request)}`, run);
  }
}
