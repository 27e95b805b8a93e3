import { Option } from '@commander-js/extra-typings';
import { normNames } from '../user-input/norm-name.js';

/** `--norm`, of the commands that attack. */
export const normOption = () =>
  new Option('--norm <norm>', "the threat model's norm (default: the run's)").choices(normNames);
