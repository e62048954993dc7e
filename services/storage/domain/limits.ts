// The limits of an installation, as the rules need them.

/** What uploads may be and use. Bytes and milliseconds. */
export interface Limits {
  /** The largest file. */
  readonly maxFileBytes: number;
  /** What a workspace may use, unless the user service says less or more. */
  readonly workspaceQuotaBytes: number;
  /** What one owner's partial uploads may use. */
  readonly partialQuotaBytes: number;
  /** How much of the disk stays free. */
  readonly diskFloorBytes: number;
  /** How many unfinished uploads one owner may have. */
  readonly maxOpenUploads: number;
  /** How many pieces one upload may have. */
  readonly maxParts: number;
  /** How long an upload lives without a write. */
  readonly uploadIdleMs: number;
  /** How long an upload may live at all. */
  readonly uploadLongestMs: number;
  /** How long a blob stays that nothing refers to. */
  readonly blobGraceMs: number;
  /** How long a piece's file stays that nothing needs: a reader may be in the middle of it. */
  readonly pieceGraceMs: number;
  /** How long bytes in a shared place stay that no row knows: their writer may be about to note them. */
  readonly abandonedMs: number;
  /** How often every stored byte is compared with its checksum. */
  readonly scrubAfterMs: number;
  /** How long final uploads can still be looked at. */
  readonly historyMs: number;
}

/** The largest chunk that a client may send. */
export const maxChunkBytes = 1024 * 1024;

/** The largest chunk that is sent to clients. */
export const sentChunkBytes = 256 * 1024;
