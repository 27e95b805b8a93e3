import type { Dataset } from '../../data/dataset.js';
import { engineInfo } from '../../engine/engine-info.js';
import { InputError } from '../../errors.js';
import { commandLine } from '../../provenance/command-line.js';
import { makeManifest } from '../../provenance/manifest.js';
import type { CurvePoint, ReportInput, ReportNetwork, RunDifference } from '../../report/input.js';
import { readManifest } from '../../runs/run-folder.js';
import { chooseGallery, type GalleryNetwork } from './choose-gallery.js';
import { compareVerdicts, networkReport } from './report-parts.js';
import { areOfActivation } from './run-differences.js';

/** A trained network with all its measurements. */
export interface MeasuredNetwork extends GalleryNetwork {
  /** The run folder of its weights. */
  readonly run: string;
  readonly curve: readonly CurvePoint[];
}

export interface ReportInputOptions {
  readonly title: string;
  readonly subtitle: string;
  /** A caveat for the reader. */
  readonly notice: string;
  readonly differences: readonly RunDifference[];
  /** The images that all networks were evaluated on. */
  readonly data: Dataset;
  /** One or more, evaluated under one threat model. */
  readonly networks: readonly MeasuredNetwork[];
}

/** Assembles the input of `renderReport`; versions and machine are those of this process. */
export function reportInput(options: ReportInputOptions): ReportInput {
  const { title, subtitle, notice, differences, data, networks } = options;
  const [first] = networks;
  if (first === undefined) throw InputError.expected('at least one network', 'the report', 'none');
  const { norm, epsilon, epsilonText } = first.measured.result;
  const engine = engineInfo();
  const { seeds, device } = readManifest(first.run);
  const here = makeManifest({ engine: { ...engine }, device, threads: engine.threads, seeds, chosen: {} });
  return {
    title,
    subtitle,
    notice,
    generated: here.started,
    command: commandLine(),
    commit: here.commit,
    versions: { Satin: here.satin, Node: here.node, libtorch: engine.libtorch },
    machine: `${here.processor}, ${here.processors} processors, ${engine.threads} threads, ${here.platform}`,
    seed: seeds.run ?? 0,
    threat: { norm, epsilon, epsilonText },
    data: { name: data.name, examples: data.ids.length, classes: data.classes },
    networks: networks.map(
      ({ run, name, curve, measured }): ReportNetwork =>
        networkReport({ run, name, evaluation: measured.result, curve }),
    ),
    differences,
    isOfActivation: areOfActivation(differences),
    comparisons: compareVerdicts(networks.map(({ name, measured: { result } }) => ({ name, result }))),
    gallery: chooseGallery({ networks, data }),
  };
}
