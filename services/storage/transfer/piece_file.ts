// One piece while it is written: bytes are gathered while the disk is busy and written together, so that fast peers get
// large writes and slow ones leave nothing behind in memory.

import { BlockSums } from "../domain/blocks.ts";
import type { BlobDriver, CreateOptions, PieceWriter } from "../drivers/driver.ts";
import type { SealedPiece } from "../store/pieces.ts";
import type { ByteBudget } from "./budget.ts";

/** A writer waits once so many of its bytes are gathered; as many again may be on their way to the disk. */
const gatherLimit = 512 * 1024;

export class PieceFile {
  readonly id: string;
  readonly position: number;
  length = 0;
  readonly #writer: PieceWriter;
  /** Undefined where the place gathers by itself. */
  readonly #budget: ByteBudget | undefined;
  readonly #sums = new BlockSums();
  #gathered: Uint8Array[] = [];
  #gatheredBytes = 0;
  #flushing: Promise<void> | undefined;
  /** The write that is under way. */
  #writing: Promise<void> | undefined;
  #fault: unknown;

  static async open(
    driver: BlobDriver,
    budget: ByteBudget,
    id: string,
    position: number,
    options?: CreateOptions,
  ): Promise<PieceFile> {
    const writer = await driver.create(id, options);
    return new PieceFile(writer, driver.gathers ? undefined : budget, id, position);
  }

  private constructor(writer: PieceWriter, budget: ByteBudget | undefined, id: string, position: number) {
    this.#writer = writer;
    this.#budget = budget;
    this.id = id;
    this.position = position;
  }

  /** Takes the next bytes; resolves when there is room for more. The array must not change afterwards. */
  async append(bytes: Uint8Array): Promise<void> {
    if (this.#budget === undefined) {
      await this.#writer.write([bytes]);
      this.#sums.update(bytes);
      this.length += bytes.byteLength;
      return;
    }
    const waiting = this.#budget.take(bytes.byteLength);
    if (waiting !== undefined) await waiting;
    this.#sums.update(bytes);
    this.length += bytes.byteLength;
    this.#gathered.push(bytes);
    this.#gatheredBytes += bytes.byteLength;
    this.#flushing ??= this.#flush();
    while (this.#gatheredBytes >= gatherLimit) await this.#writing;
    if (this.#fault !== undefined) throw this.#fault;
  }

  /** Makes everything durable. */
  async seal(): Promise<SealedPiece> {
    await this.#flushing;
    if (this.#fault !== undefined) throw this.#fault;
    await this.#writer.seal();
    const { id, position, length } = this;
    return { id, position, length, fileBytes: length, sums: this.#sums.encode() };
  }

  /** Gives the file up. */
  async discard(): Promise<void> {
    await this.#flushing;
    await this.#writer.discard();
  }

  /** Writes what is gathered, and what was gathered meanwhile; never rejects, so that nobody must be waiting. */
  async #flush(): Promise<void> {
    while (this.#gathered.length > 0) {
      const bytes = this.#gathered;
      this.#gathered = [];
      this.#gatheredBytes = 0;
      this.#writing = this.#write(bytes);
      await this.#writing;
    }
    this.#flushing = undefined;
  }

  async #write(bytes: readonly Uint8Array[]): Promise<void> {
    try {
      if (this.#fault === undefined) await this.#writer.write(bytes);
    } catch (fault) {
      this.#fault = fault;
    } finally {
      for (const { byteLength } of bytes) this.#budget?.give(byteLength);
    }
  }
}
