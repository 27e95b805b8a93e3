/** Told what an export does next, and how much of that is done. */
export type OnExport = (progress: {
  readonly label: string;
  readonly done: number;
  readonly total: number;
}) => void;
