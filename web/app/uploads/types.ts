// What an upload is, to those who ask for one and to those who show it.

/** A file that somebody chose or dropped. */
export interface UploadSource {
  readonly file: File;
  /** The folders below the target that it lies in, the uppermost first. */
  readonly path: readonly string[];
  /** How the browser finds it again after a reload, where it can. */
  readonly handle?: FileSystemFileHandle;
  /** The dropped folder that the handle came out of: permission for it is permission for the file. */
  readonly root?: FileSystemDirectoryHandle;
}

/** Where files go: a workspace's root, one of its folders, or a document that gets a new version. */
export interface UploadTarget {
  readonly workspaceId: string;
  readonly folderId?: string | undefined;
  readonly documentId?: string | undefined;
  /** Label and note of the version. */
  readonly label?: string | undefined;
  readonly note?: string | undefined;
  /** What people call the folder or document; shown while files are dragged over the page. */
  readonly name?: string | undefined;
}

/**
 * waiting: for its turn. sending: bytes go up. verifying: the server hashes them. attaching: becomes a document.
 * stalled: tries again by itself. paused: until somebody goes on. signedOut: until the same person signs in again.
 * asking: left over from before a reload; needs a click, or the file once more. elsewhere: another tab has taken it.
 */
export type UploadState =
  | "waiting"
  | "sending"
  | "verifying"
  | "attaching"
  | "stalled"
  | "paused"
  | "signedOut"
  | "asking"
  | "failed"
  | "done";

/** Why something did not go well. */
export interface Trouble {
  /** A name of the contract's reasons, or one of our own: NETWORK, FILE_GONE, FILE_EMPTY. */
  readonly reason: string;
  /** The HTTP status; 0 when nothing answered. */
  readonly status: number;
  /** What the server asks to wait, in milliseconds. */
  readonly retryAfterMs: number;
  /** What the server says, for reasons without words of our own. */
  readonly message: string;
  readonly requestId: string;
  readonly metadata: Readonly<Record<string, string>>;
}

/** One line of the tray. */
export interface UploadItem {
  readonly id: string;
  /** A file, or a folder without any. */
  readonly kind: "file" | "folder";
  readonly name: string;
  readonly path: readonly string[];
  readonly size: number;
  readonly target: UploadTarget;
  state: UploadState;
  /** Bytes that have gone up, counting those under way. */
  sent: number;
  /** Why it is stalled or has failed. */
  trouble: Trouble | undefined;
  /** When it is tried again, in milliseconds since 1970. */
  retryAt: number;
  /** What came of it. */
  documentId: string | undefined;
  versionNumber: number | undefined;
  /** Of one that asks: whether the browser can find the file again itself. */
  reachable: boolean;
}

/** What came of an upload. */
export interface Uploaded {
  readonly documentId: string;
  readonly versionNumber: number;
  readonly target: UploadTarget;
}

/** All uploads together. */
export interface UploadsSummary {
  readonly total: number;
  readonly done: number;
  readonly failed: number;
  /** Those under way or waiting for their turn. */
  readonly active: number;
  readonly paused: number;
  readonly asking: number;
  readonly stalled: number;
  readonly signedOut: number;
  readonly bytes: number;
  readonly sent: number;
  /** Bytes in a second; 0 while unknown. */
  readonly speed: number;
  /** Seconds; undefined while unknown. */
  readonly secondsLeft: number | undefined;
}
