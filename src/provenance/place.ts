/** A device: its name, and the card as NVIDIA calls it. */
export interface Place {
  readonly device: string;
  /** Null or undefined for the CPU. */
  readonly card?: string | null | undefined;
}

/** Whether two devices round alike, as two cards of one model do: `cuda:0` and `cuda:1`, both an H100. */
export function isSameKind(one: Place, other: Place): boolean {
  const kind = ({ device, card }: Place) => `${device.replace(/:.*/, '')} ${card ?? ''}`;
  return kind(one) === kind(other);
}

/** `cuda:0 (NVIDIA H100 80GB HBM3)`. */
export function placeName({ device, card }: Place): string {
  return card == null ? device : `${device} (${card})`;
}
