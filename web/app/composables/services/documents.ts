// Documents.

import type { CallOptions } from "@connectrpc/connect";
import type { Document, DocumentKind, DocumentOrder } from "@docket/contracts/gen/docket/document/v1/document_pb.ts";
import { DocumentService } from "@docket/contracts/gen/docket/document/v1/document_service_pb.ts";
import type { Operation } from "@docket/contracts/gen/docket/document/v1/operation_pb.ts";
import type { Tag } from "@docket/contracts/gen/docket/document/v1/tag_pb.ts";

/** Which documents. */
export interface DocumentList {
  readonly workspaceId: string;
  /** Those in this folder; empty for those in the root. */
  readonly folderId?: string;
  /** Those in any folder too. */
  readonly anywhere?: boolean;
  readonly trashed?: boolean;
  /** Only with this tag; goes with the whole workspace only. */
  readonly tag?: string;
  readonly order?: DocumentOrder;
  readonly kind?: DocumentKind;
}

/** Some documents, and how to go on; an empty token when there are no more. */
export interface DocumentsPage {
  readonly documents: Document[];
  readonly nextPageToken: string;
}

/** Where something is moved to: a folder, or the root. */
export interface MoveTarget {
  readonly workspaceId: string;
  /** Empty for the root. */
  readonly folderId: string;
}

/** An upload that becomes a document. */
export interface NewDocument {
  readonly workspaceId: string;
  /** Undefined for the root. */
  readonly folderId: string | undefined;
  readonly uploadId: string;
  readonly label: string;
  readonly note: string;
  readonly requestId: string;
}

export function useDocuments() {
  const client = useClient(DocumentService);
  return {
    async get(documentId: string): Promise<Document> {
      return there((await client.getDocument({ documentId })).document);
    },
    async list(which: DocumentList, pageToken = "", pageSize = 200): Promise<DocumentsPage> {
      const { workspaceId, folderId = "", anywhere, trashed, tag = "", order, kind } = which;
      const whole = folderId === "" || tag !== "" || trashed;
      return await client.listDocuments({
        parent: whole ? { case: "workspaceId", value: workspaceId } : { case: "folderId", value: folderId },
        anywhere: whole && anywhere,
        trashed,
        tag: tag === "" ? undefined : tag,
        order,
        kind,
        pageToken,
        pageSize,
      });
    },
    /** Finds documents by the words of titles and tags. */
    async search(workspaceId: string, query: string, pageToken = "", pageSize = 200): Promise<DocumentsPage> {
      return await client.searchDocuments({ workspaceId, query, pageToken, pageSize });
    },
    /** Makes a document of an upload, called as its file is. */
    async create({ workspaceId, folderId, ...fields }: NewDocument, options?: CallOptions): Promise<Document> {
      const parent =
        folderId === undefined
          ? ({ case: "workspaceId", value: workspaceId } as const)
          : ({ case: "folderId", value: folderId } as const);
      return there((await client.createDocument({ parent, ...fields }, options)).document);
    },
    /** Changes title or tags; with an etag only if nobody else did since. */
    async update(documentId: string, fields: { title?: string; tags?: string[] }, etag?: string): Promise<Document> {
      const paths = Object.keys(fields);
      return there((await client.updateDocument({ documentId, ...fields, updateMask: { paths }, etag })).document);
    },
    async move(documentId: string, { workspaceId, folderId }: MoveTarget): Promise<Document> {
      const target =
        folderId === ""
          ? ({ case: "targetWorkspaceId", value: workspaceId } as const)
          : ({ case: "targetFolderId", value: folderId } as const);
      return there((await client.moveDocument({ documentId, target })).document);
    },
    /** Moves it to the trash. */
    async remove(documentId: string): Promise<void> {
      await client.deleteDocument({ documentId });
    },
    /** Takes it back from the trash. */
    async undelete(documentId: string): Promise<void> {
      await client.undeleteDocument({ documentId });
    },
    /** Removes it for good; the operation tells how far that is. */
    async purge(documentId: string): Promise<Operation | undefined> {
      return (await client.purgeDocument({ documentId })).operation;
    },
    /** The tags of a workspace that begin so, from A to Z, at most 200. */
    async tags(workspaceId: string, prefix = ""): Promise<Tag[]> {
      const { tags } = await client.listTags({
        workspaceId,
        prefix: prefix === "" ? undefined : prefix,
        pageSize: 200,
      });
      return tags;
    },
  };
}
