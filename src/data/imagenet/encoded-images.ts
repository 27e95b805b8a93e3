/**
 * The images of a split as they lie on disk, encoded, with their labels: what is known of a set too large for memory.
 * A place, from 0, is an example's id; readers of folders and of shards make it.
 */
export interface EncodedImages {
  /** `imagenet:train` */
  readonly name: string;
  readonly classes: readonly string[];
  /** [count] */
  readonly labels: Uint16Array;
  /** The first place of each shard; null where every image is a file of its own. */
  readonly shards: readonly number[] | null;
  readonly warnings: readonly string[];
  /** What identifies an image within its set, wherever that lies: `n01440764/n01440764_10026.JPEG`. */
  keyOf(place: number): string;
  /** How an image is named to people: its file, or its shard and key. */
  nameOf(place: number): string;
  /** Its bytes. @throws {InputError} where the file cannot be read. */
  read(place: number): Promise<Uint8Array>;
  close(): Promise<void>;
}
