/** Told before each layer or step that a plan times. */
export type OnTimed = (progress: {
  readonly label: string;
  readonly done: number;
  readonly total: number;
}) => void;
