/** The large network that test/models/architectures/registry.test.ts leaves out, against its source. */
import { describe } from 'node:test';
import { setThreads } from '../../../../src/engine/engine-info.js';
import { describeGolden, goldenNetworks } from '../../../support/golden-outputs.js';

setThreads(1);

describe('a wide network equals its source', () => {
  for (const network of goldenNetworks) if (network.name === 'wideresnet28-10') describeGolden(network);
});
