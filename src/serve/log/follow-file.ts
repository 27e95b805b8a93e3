import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';

/** A line longer than this is no event; it is passed over in constant memory. */
const longestLine = 2 ** 20;
const chunkBytes = 2 ** 20;

export interface Lines {
  /** Of each complete line, without its newline. */
  readonly onLine: (line: string, offset: number) => void;
  /** The file was replaced or cut: what was read before is void. */
  readonly onRestart: () => void;
  /** A line too long to be kept. */
  readonly onBroken: () => void;
}

/**
 * Follows a file to which lines are appended, from where it stopped. A replaced file (a resumed run rewinds its log) is
 * told by its inode or its size, and read again from the start. A half-written last line waits for its rest.
 */
export class FollowedFile {
  readonly #path: string;
  readonly #lines: Lines;
  #identity = '';
  #offset = 0;
  #size = 0;
  /** The start of a line whose end is not there yet, and where in the file it begins. */
  #rest: Buffer = Buffer.alloc(0);
  #restOffset = 0;
  #isSkipping = false;

  constructor(path: string, lines: Lines) {
    this.#path = path;
    this.#lines = lines;
  }

  /** Share of the file that was read, 0 to 1. */
  get share(): number {
    return this.#size === 0 ? 1 : Math.min(1, this.#offset / this.#size);
  }

  get size(): number {
    return this.#size;
  }

  /**
   * Reads on until the end, or for about `milliseconds`.
   *
   * @returns whether it reached the end; also if the file is gone.
   */
  async read({ milliseconds = Infinity }: { readonly milliseconds?: number } = {}): Promise<boolean> {
    let file: FileHandle;
    try {
      // A pipe of that name must not hold the server.
      file = await open(this.#path, constants.O_RDONLY | constants.O_NONBLOCK);
    } catch {
      return true;
    }
    try {
      const found = await file.stat();
      const { ino, birthtimeMs, size } = found;
      if (!found.isFile()) return true;
      const identity = `${ino}/${birthtimeMs}`;
      if ((this.#identity !== '' && identity !== this.#identity) || size < this.#offset) this.#restart();
      this.#identity = identity;
      this.#size = size;
      const until = performance.now() + milliseconds;
      const chunk = Buffer.allocUnsafe(Math.min(chunkBytes, Math.max(1, size - this.#offset)));
      while (this.#offset < size) {
        if (performance.now() >= until) return false;
        const { bytesRead } = await file.read(chunk, 0, chunk.length, this.#offset);
        if (bytesRead === 0) return true;
        this.#take(chunk.subarray(0, bytesRead));
      }
      return true;
    } catch {
      return true; // gone, or unreadable: as if it ended here
    } finally {
      await file.close().catch(() => undefined);
    }
  }

  #restart(): void {
    this.#offset = 0;
    this.#rest = Buffer.alloc(0);
    this.#restOffset = 0;
    this.#isSkipping = false;
    this.#lines.onRestart();
  }

  #take(chunk: Buffer): void {
    const last = chunk.lastIndexOf(newline);
    const begin = this.#offset;
    this.#offset += chunk.length;
    if (last < 0) {
      if (!this.#isSkipping) this.#keep(chunk);
      return;
    }
    let start = 0;
    if (this.#isSkipping) {
      start = chunk.indexOf(newline) + 1;
      this.#isSkipping = false;
    } else if (this.#rest.length > 0) {
      start = chunk.indexOf(newline) + 1;
      const line = Buffer.concat([this.#rest, chunk.subarray(0, start - 1)]).toString('utf8');
      this.#lines.onLine(line, this.#restOffset);
    }
    const text = chunk.toString('utf8', start, last + 1);
    let offset = begin + start;
    for (let at = 0; at < text.length; ) {
      const end = text.indexOf('\n', at);
      const line = text.slice(at, end);
      if (line.length > 0) this.#lines.onLine(line, offset);
      // Exact for ASCII, which all steps are; elsewhere `onLine` is given a place a little before the line.
      offset += end - at + 1;
      at = end + 1;
    }
    this.#rest = Buffer.alloc(0);
    this.#restOffset = begin + last + 1;
    this.#keep(chunk.subarray(last + 1));
  }

  #keep(part: Buffer): void {
    if (this.#rest.length + part.length > longestLine) {
      this.#rest = Buffer.alloc(0);
      this.#isSkipping = true;
      this.#lines.onBroken();
      return;
    }
    this.#rest = this.#rest.length === 0 ? Buffer.from(part) : Buffer.concat([this.#rest, part]);
  }
}

const newline = 10;
