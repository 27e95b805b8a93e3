import { existsSync } from 'node:fs';
import { join } from 'node:path';

/** The folder of a run's store for trackio. A run that has one keeps it, without being asked again. */
export const storeFolder = (run: string): string => join(run, 'trackio');

/** Whether a run has a store. */
export const hasTrackioStore = (run: string): boolean => existsSync(storeFolder(run));
