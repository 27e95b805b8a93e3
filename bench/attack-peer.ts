import { z } from 'zod';
import { Worker } from './rival.js';

/** What the other side attacks. */
export interface AttackPeerSettings {
  /** Weights under their PyTorch names, `images` and `labels`, as safetensors. */
  readonly file: string;
  readonly width: number;
  readonly activation: string;
  readonly mean: readonly number[] | null;
  readonly std: readonly number[] | null;
  readonly norm: string;
  readonly epsilon: number;
  readonly threads: number;
  readonly reference: string | null;
}

/** How the other side runs its network. */
export interface AttackPeerConfiguration {
  readonly batch: number;
  readonly channelsLast: boolean;
  /** Weights ask for no gradient. */
  readonly frozen: boolean;
}

const run = z.object({
  seconds: z.number(),
  forwards: z.number(),
  backwards: z.number(),
  broken: z.array(z.number()),
});

/** What an attack took and did; passes count images. */
export type AttackRun = z.infer<typeof run>;

const ready = z.object({ ready: z.literal(true) });

/** PyTorch with a network and images, which attacks them in another's implementation. */
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

  /** Of the first `count` images. */
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
