/** Each sign of a failing attack is seen, and a sound network shows none. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { findings, type NetworkChecks } from '../../../studies/sanity/checks.js';
import { radiusText } from '../../../studies/sanity/measure-network.js';

const sound: NetworkChecks = {
  activation: 'silu',
  seed: 0,
  name: 'silu-0',
  commit: null,
  examples: 100,
  clean: 0.6,
  steps: [
    { steps: 10, robust: 0.35 },
    { steps: 200, robust: 0.34 },
  ],
  radii: [
    { epsilon: 0, text: '0', robust: 0.6 },
    { epsilon: 0.03, text: '8/255', robust: 0.34 },
    { epsilon: 0.25, text: '64/255', robust: 0 },
  ],
  blackBox: { withstood: 33, broken: 0 },
  transfer: [{ from: 'relu', images: 60, fooled: 20 }],
  surface: {
    at: [-1, 0, 1],
    loss: [
      [1, 1.1, 2],
      [0.8, 1, 1.9],
      [1, 1.2, 2],
    ],
  },
  seconds: 1,
};
const unsound = (change: Partial<NetworkChecks>) =>
  findings({ ...sound, ...change }).flatMap(({ isSound }, index) => (isSound ? [] : [index]));

describe('the findings', () => {
  it('are none for a sound network', () => assert.deepEqual(unsound({}), []));

  it('name each sign of a failing attack', () => {
    const cases: readonly (readonly [Partial<NetworkChecks>, number])[] = [
      [{ steps: [sound.steps[0]!, { steps: 200, robust: 0.36 }] }, 0],
      [{ radii: [...sound.radii.slice(0, 2), { epsilon: 0.25, text: '64/255', robust: 0.1 }] }, 1],
      [{ radii: [sound.radii[0]!, { epsilon: 0.03, text: '8/255', robust: 0.7 }, sound.radii[2]!] }, 1],
      [{ blackBox: { withstood: 33, broken: 3 } }, 2],
      [{ transfer: [{ from: 'relu', images: 60, fooled: 60 }] }, 3],
      [
        {
          surface: {
            at: [-1, 0, 1],
            loss: [
              [1, 1, 1],
              [1, 1, 1],
              [1, 1.2, 1],
            ],
          },
        },
        4,
      ],
    ];
    for (const [change, sign] of cases) assert.deepEqual(unsound(change), [sign], JSON.stringify(change));
  });
});

it('writes a multiple of ε as ε is written', () => {
  const threat = { norm: 'linf', epsilon: 8 / 255, epsilonText: '8/255' } as const;
  assert.deepEqual(
    [0.5, 1, 1.5, 8].map((multiple) => radiusText(threat, multiple)),
    ['4/255', '8/255', '12/255', '64/255'],
  );
  assert.equal(radiusText({ norm: 'linf', epsilon: 0.1, epsilonText: '0.1' }, 0.5), '0.05');
});
