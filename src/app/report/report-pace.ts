import { parseAttack } from '../../attacks/attack.js';
import { workOf } from '../../evaluation/progress.js';

/** What is measured of each network for a report, in this order. */
type Part = 'evaluation' | 'curve';

export interface ReportPaceOptions {
  readonly networks: number;
  /** How long a curve takes where an evaluation takes 1, before a curve was measured; 0 without curves. */
  readonly curveShare: number;
  /** A clock in milliseconds. @default performance.now */
  readonly now?: () => number;
}

/** The time until all networks of a report are measured: the rest of what is measured now, and what the others took so far. */
export class ReportPace {
  readonly #networks: number;
  readonly #curveShare: number;
  readonly #now: () => number;
  readonly #took: Readonly<Record<Part, number[]>> = { evaluation: [], curve: [] };
  #began: number;

  constructor({ networks, curveShare, now = () => performance.now() }: ReportPaceOptions) {
    this.#networks = networks;
    this.#curveShare = curveShare;
    this.#now = now;
    this.#began = now();
  }

  /** A part begins. */
  begin(): void {
    this.#began = this.#now();
  }

  /** The part that has begun is measured. */
  end(part: Part): void {
    this.#took[part].push(this.#elapsed);
  }

  /** `own` is the time until this part is measured; of a part that does not know it, `done` of `total` tell it. */
  left(
    part: Part,
    own: number | undefined | { readonly done: number; readonly total: number },
  ): { readonly secondsLeft?: number } {
    const rest = typeof own === 'object' ? this.#extrapolated(own) : own;
    if (rest === undefined) return {};
    const whole = this.#elapsed + rest;
    const evaluation = this.#mean('evaluation') ?? whole;
    const curve = this.#mean('curve') ?? (part === 'curve' ? whole : this.#curveShare * evaluation);
    const open = (each: Part) => this.#networks - this.#took[each].length - (each === part ? 1 : 0);
    const curves = this.#curveShare === 0 ? 0 : open('curve') * curve;
    return { secondsLeft: rest + open('evaluation') * evaluation + curves };
  }

  get #elapsed(): number {
    return (this.#now() - this.#began) / 1000;
  }

  #extrapolated({ done, total }: { readonly done: number; readonly total: number }): number | undefined {
    return done === 0 || this.#elapsed < 1 ? undefined : (this.#elapsed / done) * (total - done);
  }

  #mean(part: Part): number | undefined {
    const took = this.#took[part];
    return took.length === 0 ? undefined : took.reduce((sum, each) => sum + each, 0) / took.length;
  }
}

/** The work of a curve of `points` of APGD-CE, over that of an evaluation in which no attack breaks an image. */
export function curveShare(options: {
  readonly examples: number;
  readonly points: number;
  readonly attacks: readonly string[];
  readonly evaluated: number;
  readonly classes: number;
}): number {
  const { examples, points, attacks, evaluated, classes } = options;
  const work = (name: string) => workOf(parseAttack(name), classes);
  const evaluation = evaluated * attacks.reduce((sum, name) => sum + work(name), 0);
  return (Math.min(examples, evaluated) * points * work('apgd-ce')) / evaluation;
}
