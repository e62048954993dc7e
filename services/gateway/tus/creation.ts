// POST /files/uploads: a new upload, a piece of one, or one made of pieces.

import type { MessageInitShape } from "@bufbuild/protobuf";
import type { Client } from "@connectrpc/connect";
import { Reason } from "@docket/contracts/gen/docket/error/v1/reason_pb.ts";
import type { Upload } from "@docket/contracts/gen/docket/storage/v1/upload_pb.ts";
import type {
  CreateUploadRequestSchema,
  UploadService,
} from "@docket/contracts/gen/docket/storage/v1/upload_service_pb.ts";
import { AppError } from "@docket/runtime/errors";
import type { SignedIn } from "../guard/gate.ts";
import { type Exchange, headerOf } from "../http/exchange.ts";
import { meshHeaders } from "../rpc/edge_call.ts";
import { isComplete, setUploadHeaders } from "./answers.ts";
import { concatOf, contentType, countOf, headerFault, metadataOf, tusVersion } from "./headers.ts";
import { type WriterOptions, writeBody } from "./writer.ts";

export interface UploadsOptions extends WriterOptions {
  readonly uploads: Client<typeof UploadService>;
  /** Where this client finds the edge, without a slash at the end. */
  readonly baseUrl: (exchange: Exchange) => string;
  /** The largest file, in bytes. */
  readonly maxBytes: (exchange: Exchange) => Promise<number>;
}

export async function createUpload(exchange: Exchange, admission: SignedIn, options: UploadsOptions): Promise<void> {
  const withBody = headerOf(exchange.request.headers, "content-type")?.trim().toLowerCase() === contentType;
  let upload = await make(exchange, admission, options);
  if (withBody && !isComplete(upload)) {
    upload = await writeBody(exchange, admission, { uploadId: upload.id, offset: 0, size: undefined }, options);
  }
  if (isComplete(upload)) upload = await complete(upload, exchange, admission, options);
  const { response } = exchange;
  response.setHeader("tus-resumable", tusVersion);
  response.setHeader("location", `${options.baseUrl(exchange)}/files/uploads/${upload.id}`);
  setUploadHeaders(exchange, upload);
  response.setHeader("content-length", "0");
  response.statusCode = 201;
  response.end();
}

/** Has a whole upload verified. Pieces are not: only what is made of them is. */
export async function complete(
  upload: Upload,
  exchange: Exchange,
  admission: SignedIn,
  { uploads }: UploadsOptions,
): Promise<Upload> {
  if (upload.partial) return upload;
  // Not ended with the client: verification goes on without it.
  const answer = await uploads.completeUpload({ uploadId: upload.id }, { headers: meshHeaders(exchange, admission) });
  return answer.upload ?? upload;
}

async function make(exchange: Exchange, admission: SignedIn, options: UploadsOptions): Promise<Upload> {
  const { uploads } = options;
  const call = { headers: meshHeaders(exchange, admission), signal: exchange.signal };
  const concat = concatOf(exchange);
  const size = await sizeOf(exchange, concat?.kind === "final", options);
  if (concat?.kind === "partial") {
    const { upload } = await uploads.createPartialUpload(size === undefined ? {} : { size: BigInt(size) }, call);
    return present(upload);
  }
  const described = description(exchange);
  if (concat?.kind === "final") {
    const { upload } = await uploads.concatenateUploads({ ...described, partIds: [...concat.partIds] }, call);
    return present(upload);
  }
  const { upload } = await uploads.createUpload(
    size === undefined ? described : { ...described, size: BigInt(size) },
    call,
  );
  return present(upload);
}

async function sizeOf(exchange: Exchange, final: boolean, { maxBytes }: UploadsOptions): Promise<number | undefined> {
  const size = countOf(exchange, "Upload-Length");
  const deferred = headerOf(exchange.request.headers, "upload-defer-length");
  if (final) {
    if (size !== undefined || deferred !== undefined)
      throw headerFault("Upload-Length", "a final upload has the length of its parts");
    return undefined;
  }
  if (deferred !== undefined && deferred !== "1") throw headerFault("Upload-Defer-Length", "must be 1");
  if ((size === undefined) === (deferred === undefined))
    throw headerFault("Upload-Length", "exactly one of Upload-Length and Upload-Defer-Length must be there");
  if (size !== undefined) {
    const limit = await maxBytes(exchange);
    if (size > limit)
      throw new AppError(Reason.FILE_TOO_LARGE, {
        metadata: { limit: String(limit) },
        message: "The file is larger than this installation takes.",
      });
  }
  return size;
}

type Description = Pick<
  MessageInitShape<typeof CreateUploadRequestSchema>,
  "workspaceId" | "name" | "mediaType" | "sha256"
>;

const mediaType = /^[A-Za-z0-9!#$&^_.+-]+\/[A-Za-z0-9!#$&^_.+-]+( ?; ?[A-Za-z0-9!#$&^_.+-]+=[A-Za-z0-9!#$&^_.+-]+)*$/;

/** The keys are those that stock clients use, and `workspace_id` and `sha256` (in hex) of our own. */
function description(exchange: Exchange): Description {
  const metadata = metadataOf(exchange);
  const workspaceId = metadata.get("workspace_id");
  const name = metadata.get("filename") ?? metadata.get("name");
  if (workspaceId === undefined) throw headerFault("Upload-Metadata", "must name the workspace: `workspace_id`");
  if (name === undefined || name === "") throw headerFault("Upload-Metadata", "must name the file: `filename`");
  const claimed = metadata.get("filetype") ?? metadata.get("type") ?? "";
  const digest = metadata.get("sha256");
  if (digest !== undefined && !/^[0-9a-f]{64}$/i.test(digest))
    throw headerFault("Upload-Metadata", "`sha256` must be 64 hexadecimal digits");
  return {
    workspaceId,
    name,
    // What browsers claim is often odd, and only a claim.
    mediaType: claimed.length <= 255 && mediaType.test(claimed) ? claimed : "",
    ...(digest === undefined ? {} : { sha256: Buffer.from(digest, "hex") }),
  };
}

function present(upload: Upload | undefined): Upload {
  if (upload === undefined) throw new AppError(Reason.INTERNAL, { message: "Storage named no upload." });
  return upload;
}
