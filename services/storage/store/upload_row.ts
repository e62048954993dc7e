// Rows of uploads ↔ domain types and messages.

import { create } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import {
  type Upload,
  UploadFailure,
  UploadSchema,
  UploadState,
} from "@docket/contracts/gen/docket/storage/v1/upload_pb.ts";
import type { Selectable } from "kysely";
import { ownerId } from "../domain/owner.ts";
import { contiguousEnd, decodeRanges, type RangeSet, sizeOf } from "../domain/ranges.ts";
import type { Failure, State } from "../domain/upload.ts";
import type { Tables } from "./entities.ts";

/** A row of the table `upload`, with its columns in their own types. */
export type UploadRow = Omit<Selectable<Tables["upload"]>, "state" | "failure"> & {
  readonly state: State;
  readonly failure: Failure | null;
};

const states: Record<State, UploadState> = {
  receiving: UploadState.RECEIVING,
  verifying: UploadState.VERIFYING,
  stored: UploadState.STORED,
  attached: UploadState.ATTACHED,
  failed: UploadState.FAILED,
  concatenated: UploadState.CONCATENATED,
};

const failures: Record<Failure, UploadFailure> = {
  digest_mismatch: UploadFailure.DIGEST_MISMATCH,
  expired: UploadFailure.EXPIRED,
  aborted: UploadFailure.ABORTED,
  corrupt: UploadFailure.CORRUPT,
  store_fault: UploadFailure.STORE_FAULT,
};

/** The contract's value of a state. */
export function stateValue(state: State): UploadState {
  return states[state];
}

/** The contract's value of a cause. */
export function failureValue(failure: Failure | null): UploadFailure {
  return failure === null ? UploadFailure.UNSPECIFIED : failures[failure];
}

/** The durable ranges of a row. */
export function rangesOf(row: Pick<UploadRow, "ranges">): RangeSet {
  return decodeRanges(row.ranges);
}

/** How many ranges a message shows. */
const shownRanges = 1000;

/** The upload as its owner sees it. */
export function uploadMessage(row: UploadRow, options: { readonly withRanges?: boolean } = {}): Upload {
  const ranges = rangesOf(row);
  const { size, expires_at: expiresAt } = row;
  return create(UploadSchema, {
    id: row.id,
    workspaceId: row.workspace_id ?? "",
    ownerId: ownerId(row.owner),
    name: row.name,
    mediaType: row.media_type,
    ...(size === null ? {} : { size: BigInt(size) }),
    offset: BigInt(contiguousEnd(ranges)),
    receivedBytes: BigInt(sizeOf(ranges)),
    ranges:
      options.withRanges === false
        ? []
        : ranges
            .slice(0, shownRanges)
            .map(({ start, end }) => ({ offset: BigInt(start), length: BigInt(end - start) })),
    state: stateValue(row.state),
    failure: failureValue(row.failure),
    declaredSha256: digestBytes(row.declared_sha256),
    sha256: digestBytes(row.sha256),
    partial: row.partial === 1,
    concatenatedInto: row.concatenated_into ?? "",
    versionId: row.version_id ?? "",
    createTime: timestampFromMs(row.created_at),
    updateTime: timestampFromMs(row.updated_at),
    ...(expiresAt === null ? {} : { expireTime: timestampFromMs(expiresAt) }),
  });
}

/** A digest's bytes; none for none. */
export function digestBytes(hex: string | null): Uint8Array<ArrayBuffer> {
  return hex === null ? new Uint8Array() : Uint8Array.from(Buffer.from(hex, "hex"));
}

/** A digest as it is kept. */
export function digestText(bytes: Uint8Array | undefined): string | null {
  return bytes === undefined || bytes.byteLength === 0 ? null : Buffer.from(bytes).toString("hex");
}
