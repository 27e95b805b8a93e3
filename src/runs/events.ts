/**
 * The lines of `events.jsonl`. The dashboard and the report read them; nothing else is shared with those.
 * A measurement's name says metric, split, threat model, attack: `validation/robust/linf-8-255/pgd-10`,
 * `validation/clean`, `train/loss`, `train/accuracy`.
 */
export type RunEvent =
  | {
      readonly type: 'start';
      readonly time: string;
      readonly epochs: number;
      readonly stepsPerEpoch: number;
      readonly parameters: number;
    }
  | { readonly type: 'resume'; readonly time: string; readonly epoch: number; readonly step: number }
  | {
      readonly type: 'step';
      readonly time: string;
      readonly epoch: number;
      readonly step: number;
      readonly loss: number;
      readonly accuracy: number;
      readonly learningRate: number;
      readonly imagesPerSecond: number;
    }
  | {
      readonly type: 'epoch';
      readonly time: string;
      readonly epoch: number;
      readonly step: number;
      readonly seconds: number;
      readonly measurements: Readonly<Record<string, number>>;
    }
  | {
      readonly type: 'checkpoint';
      readonly time: string;
      readonly epoch: number;
      readonly step: number;
      readonly file: 'last' | 'best' | 'healthy';
    }
  | { readonly type: 'warning'; readonly time: string; readonly step: number; readonly message: string }
  | { readonly type: 'interrupted'; readonly time: string; readonly epoch: number; readonly step: number }
  | {
      readonly type: 'failed';
      readonly time: string;
      readonly epoch: number;
      readonly step: number;
      readonly message: string;
    }
  | {
      readonly type: 'end';
      readonly time: string;
      readonly epoch: number;
      readonly step: number;
      readonly seconds: number;
    };
