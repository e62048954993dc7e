// What storage needs of a place for bytes. Bytes are kept in pieces, which are written once from start to end, sealed,
// and never changed; files are lists of pieces in the database, so that nothing is copied to put them together. On a
// file system a piece is a file; in an object store it is an object, written as a multipart upload and sealed by
// completing it. A driver knows no uploads, blobs or checksums.

/** A place for bytes. */
export interface BlobDriver extends AsyncDisposable {
  /** Whether this process alone uses the place, so that what it does not know has no owner. */
  readonly exclusive: boolean;
  /** Whether its writers keep what they take in bounded memory of their own, so that nobody must gather for them. */
  readonly gathers: boolean;
  /** Begins a piece. The id is a UUID that was never used before. */
  create(id: string, options?: CreateOptions): Promise<PieceWriter>;
  /** Opens a sealed piece for reading. Throws PieceMissing, here or at the first read. */
  open(id: string): Promise<PieceReader>;
  /** Removes a piece; one that is not there is no fault. */
  remove(id: string): Promise<void>;
  /** All sealed pieces, in no order. Pieces made or removed meanwhile may be among them or not. */
  list(): AsyncIterable<PieceInfo>;
  /**
   * Removes what was begun before that time (milliseconds since 1970) and never sealed. A place that this process has for
   * itself removes all of it, and wants to be asked once, before the first create.
   */
  discardUnsealed(before: number): Promise<number>;
  /** How many bytes may still be written; Infinity where the place does not say. */
  free(): Promise<number>;
}

/** What may be said of a piece that is begun. */
export interface CreateOptions {
  /** No more bytes than these will come. */
  readonly expected?: number;
  /** Called when others wait for the memory that this piece holds: seal it soon. */
  readonly pressed?: () => void;
}

/** A piece that is being written. Use one call at a time. */
export interface PieceWriter {
  /** Appends bytes; resolves when more may come. The arrays must not change afterwards. */
  write(bytes: readonly Uint8Array[]): Promise<void>;
  /** Makes it durable under its id: when this resolves, a power cut loses no byte of it. */
  seal(): Promise<void>;
  /** Gives it up; harmless after seal, where it does nothing. */
  discard(): Promise<void>;
}

/** A sealed piece, open for reading; may be read at several places at once. */
export interface PieceReader extends AsyncDisposable {
  /**
   * Reads into all of `target` from `offset` on; answers how many bytes there were, less only at the piece's end.
   */
  read(target: Uint8Array, offset: number): Promise<number>;
}

/** A sealed piece as it is listed. */
export interface PieceInfo {
  readonly id: string;
  readonly size: number;
  /** When it was written, in milliseconds since 1970. */
  readonly modifiedAt: number;
}

/** There is no sealed piece with this id. */
export class PieceMissing extends Error {
  override name = "PieceMissing";
  readonly code = "PIECE_MISSING";
}

/** There is no room. */
export class StoreFull extends Error {
  override name = "StoreFull";
  readonly code = "STORE_FULL";
}

/** The place does not answer, or not in time. What it had acknowledged is safe; trying again later may succeed. */
export class StoreUnavailable extends Error {
  override name = "StoreUnavailable";
  readonly code = "STORE_UNAVAILABLE";
}
