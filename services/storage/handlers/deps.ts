// What handlers work with.

import type { Clock } from "@docket/runtime/clock";
import type { Clients } from "../clients.ts";
import type { Limits } from "../domain/limits.ts";
import type { BlobStore } from "../store/blobs.ts";
import type { StorageDatabase } from "../store/entities.ts";
import type { ReferenceStore } from "../store/references.ts";
import type { UploadStore } from "../store/uploads.ts";
import type { BlobReader } from "../transfer/reader.ts";
import type { RunningDigests } from "../transfer/running_digest.ts";
import type { Tickets } from "../transfer/tickets.ts";
import type { Verifier } from "../transfer/verifier.ts";
import type { UploadWatch } from "../transfer/watch.ts";
import type { Writers } from "../transfer/writers.ts";

export interface HandlerDeps {
  readonly db: StorageDatabase;
  readonly uploads: UploadStore;
  readonly blobs: BlobStore;
  readonly references: ReferenceStore;
  readonly writers: Writers;
  readonly reader: BlobReader;
  readonly verifier: Verifier;
  readonly digests: RunningDigests;
  readonly watch: UploadWatch;
  readonly tickets: Tickets;
  readonly memberships: Clients["memberships"];
  /** How many bytes may still be written. */
  readonly free: () => Promise<number>;
  readonly limits: Limits;
  readonly clock: Clock;
}
