// What went wrong between us and S3, in the driver's own words.

import { PieceMissing, StoreFull, StoreUnavailable } from "../driver.ts";

/** The parts of an SDK error that say what it is; classes differ between realms, so they are not asked for. */
interface Fault {
  readonly name?: string;
  readonly code?: string;
  readonly message?: string;
  readonly $metadata?: { readonly httpStatusCode?: number };
}

/** Names under which S3 servers say that there is no room: quotas of buckets, full disks. */
const fullNames = new Set(["QuotaExceeded", "BucketQuotaExceeded", "InsufficientStorage", "StorageFull"]);

/** The HTTP status of an answer; undefined where there was none. */
export function statusOf(error: unknown): number | undefined {
  return (error as Fault | undefined)?.$metadata?.httpStatusCode;
}

/** What S3, or the system, calls the fault. */
export function nameOf(error: unknown): string {
  const { name, code } = (error ?? {}) as Fault;
  return (name === "Error" ? code : name) ?? "Error";
}

/** The fault as the driver promises it: PieceMissing, StoreFull, or StoreUnavailable for all that may pass. */
export function translated(cause: unknown): Error {
  const { name = "", code = "" } = (cause ?? {}) as Fault;
  const status = statusOf(cause);
  if (name === "PieceMissing" || name === "StoreFull" || name === "StoreUnavailable") return cause as Error;
  if (name === "NoSuchKey" || (name === "NotFound" && status === 404)) {
    return new PieceMissing("the object is missing", { cause });
  }
  if (status === 507 || [name, code].some((word) => fullNames.has(word) || /StorageFull$/.test(word))) {
    return new StoreFull("the bucket takes no more", { cause });
  }
  return new StoreUnavailable(`the bucket cannot be used: ${nameOf(cause)}`, { cause });
}

/** Whether a key was taken already: by an earlier try of the same write, since ids are never used twice. */
export function isTaken(error: unknown): boolean {
  return causes(error).some((cause) => statusOf(cause) === 412 || nameOf(cause) === "NoSuchUpload");
}

/** Whether a range begins behind the object's end. */
export function isBeyondEnd(error: unknown): boolean {
  return causes(error).some((cause) => statusOf(cause) === 416);
}

function causes(error: unknown): unknown[] {
  return [error, (error as { cause?: unknown } | undefined)?.cause];
}
