/**
 * The encoded images of a split on disk and their labels, for data sets that do not fit into memory. An index, from 0, is
 * the id of an example. Created by the readers of folders and of shards.
 */
export interface EncodedImages {
  /** `imagenet:train` */
  readonly name: string;
  readonly classes: readonly string[];
  /** [count] */
  readonly labels: Uint16Array;
  /** The first index of each shard; null if every image is a file of its own. */
  readonly shards: readonly number[] | null;
  readonly warnings: readonly string[];
  /** Identifies an image within its data set, whatever the root folder: `n01440764/n01440764_10026.JPEG`. */
  keyOf(index: number): string;
  /** Name of an image for messages: its file, or its shard and key. */
  nameOf(index: number): string;
  /** Encoded bytes of an image. @throws {InputError} if the file cannot be read. */
  read(index: number): Promise<Uint8Array>;
  close(): Promise<void>;
}
