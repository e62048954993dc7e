// The storage service, as far as the document service asks it: uploads that are stored, and references to their bytes.
import { millisecondsOf } from "@docket/contracts/policy";
import { createHash } from "node:crypto";
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { createClient, createRouterTransport } from "@connectrpc/connect";
import { Reason } from "@docket/contracts/gen/docket/error/v1/reason_pb.ts";
import {
  type BlobReference,
  BlobReferenceSchema,
  BlobReferenceState,
} from "@docket/contracts/gen/docket/storage/v1/blob_pb.ts";
import { BlobService } from "@docket/contracts/gen/docket/storage/v1/blob_service_pb.ts";
import { AppError, notFound, toConnectError } from "@docket/runtime/errors";
import { newId } from "@docket/runtime/ids";
import type { Clients } from "../clients.ts";
import { subjectOf } from "./fake_users.ts";

/** An upload as tests make it. */
export interface FakeUpload {
  readonly id: string;
  readonly ownerId: string;
  readonly workspaceId: string;
  readonly name: string;
  readonly content: string;
  readonly mediaType: string;
  /** Whether all bytes are there. */
  stored: boolean;
}

export class FakeBlobs {
  readonly uploads = new Map<string, FakeUpload>();
  /** By version. */
  readonly references = new Map<string, BlobReference>();
  /** When references were made, in milliseconds; those without a time were made long ago. */
  readonly madeAt = new Map<string, number>();
  /** When set, the next call of this name fails as if storage were away. */
  failNext: "confirmReferences" | "releaseReferences" | undefined;

  /** A stored upload of somebody. */
  upload(
    owner: { readonly id: string },
    workspaceId: string,
    name = "report.pdf",
    content = `bytes of ${name}`,
    mediaType = "application/pdf",
  ): string {
    const id = newId();
    this.uploads.set(id, { id, ownerId: owner.id, workspaceId, name, content, mediaType, stored: true });
    return id;
  }

  client(): Clients["blobs"] {
    const transport = createRouterTransport((router) => {
      router.service(BlobService, {
        attachUpload: ({ uploadId, versionId, workspaceId }, { requestHeader }) => {
          const upload = this.uploads.get(uploadId);
          if (upload === undefined || upload.ownerId !== subjectOf(requestHeader))
            throw wire(notFound("upload", uploadId));
          if (!upload.stored) throw wire(new AppError(Reason.UPLOAD_STATE_CONFLICT));
          if (upload.workspaceId !== workspaceId) throw wire(new AppError(Reason.UPLOAD_WORKSPACE_MISMATCH));
          const taken = [...this.references.values()].some(
            (known) => known.uploadId === uploadId && known.state === BlobReferenceState.CONFIRMED,
          );
          if (taken) throw wire(new AppError(Reason.UPLOAD_ALREADY_ATTACHED));
          const sha256 = createHash("sha256").update(upload.content).digest();
          return this.#add({
            versionId,
            workspaceId,
            uploadId,
            sha256,
            blobId: sha256.toString("hex"),
            size: BigInt(upload.content.length),
            name: upload.name,
            mediaType: upload.mediaType,
          });
        },
        copyReference: ({ sourceVersionId, versionId }) => {
          const source = this.references.get(sourceVersionId);
          if (source === undefined) throw wire(notFound("version", sourceVersionId));
          return this.#add({ ...source, versionId, uploadId: "" });
        },
        confirmReferences: ({ versionIds }) => {
          this.#fail("confirmReferences");
          const missing = versionIds.filter((id) => !this.references.has(id));
          for (const id of versionIds) {
            const reference = this.references.get(id);
            if (reference !== undefined) reference.state = BlobReferenceState.CONFIRMED;
          }
          return { missingVersionIds: missing };
        },
        releaseReferences: ({ versionIds }) => {
          this.#fail("releaseReferences");
          for (const id of versionIds) this.references.delete(id);
          return {};
        },
        listPendingReferences: ({ olderThan }) => ({
          references: [...this.references.values()].filter(
            ({ state, versionId }) =>
              state === BlobReferenceState.PENDING &&
              Date.now() - (this.madeAt.get(versionId) ?? 0) >= millisecondsOf(olderThan),
          ),
        }),
        createReadTicket: ({ versionId }) => {
          const reference = this.references.get(versionId);
          if (reference === undefined) throw wire(notFound("version", versionId));
          return { ticket: `ticket of ${versionId}`, expireTime: timestampFromMs(Date.now() + 60_000), reference };
        },
      });
    });
    return createClient(BlobService, transport);
  }

  #add(init: MessageInitShape<typeof BlobReferenceSchema>) {
    const reference = create(BlobReferenceSchema, { ...init, state: BlobReferenceState.PENDING });
    this.references.set(reference.versionId, reference);
    this.madeAt.set(reference.versionId, Date.now());
    return { reference };
  }

  #fail(name: FakeBlobs["failNext"]): void {
    if (this.failNext !== name) return;
    this.failNext = undefined;
    throw wire(new AppError(Reason.UNAVAILABLE));
  }
}

function wire(error: AppError) {
  return toConnectError(error, "");
}
