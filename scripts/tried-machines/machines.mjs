/** The machines on which a release is tried: what is on them before the README's first command. */

/**
 * @typedef {object} Machine
 * @property {string} name
 * @property {'debian' | 'ubuntu'} distribution
 * @property {string} suite the distribution's release, as debootstrap calls it
 * @property {string[]} packages what is installed besides git
 * @property {(keyof typeof NPM_OF_NODE | null)[]} nodes versions from npm's registry, each tried in turn; null: the
 *   distribution's own, where it is new enough
 * @property {boolean} wheel whether `LIBTORCH` names the newest PyTorch of pip, else libtorch is the distribution's
 */

/** The npm that comes with each Node. */
export const NPM_OF_NODE = { 20: 10, 22: 10, 24: 11 };

const withOwnNode = { packages: ['nodejs', 'npm'], nodes: [null], wheel: false };
const withWheel = { packages: ['python3-venv'], nodes: [20], wheel: true };

/** @type {Machine[]} in the order in which they are tried */
export const MACHINES = [
  { name: 'debian-13', distribution: 'debian', suite: 'trixie', ...withOwnNode },
  {
    name: 'debian-12',
    distribution: 'debian',
    suite: 'bookworm',
    packages: [],
    nodes: [20, 22, 24],
    wheel: false,
  },
  { name: 'debian-12-wheel', distribution: 'debian', suite: 'bookworm', ...withWheel },
  // Ubuntu 24.04 has no libtorch.
  { name: 'ubuntu-24.04', distribution: 'ubuntu', suite: 'noble', ...withWheel },
  { name: 'ubuntu-26.04', distribution: 'ubuntu', suite: 'resolute', ...withOwnNode },
];
