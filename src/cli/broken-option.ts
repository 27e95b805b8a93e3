import { Option } from '@commander-js/extra-typings';
import { brokenRules } from '../data/image-rules.js';

/** `--broken`, of commands that read a folder of images. */
export function brokenOption() {
  return new Option(
    '--broken <rule>',
    "whether broken images of a folder are an error that names them, or skipped, counted and named (default: the run's, else refuse)",
  ).choices(brokenRules);
}
