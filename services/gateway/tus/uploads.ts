// Uploads over the tus 1.0 protocol at /files/uploads, for browsers and stock clients.

import { Reason } from "@docket/contracts/gen/docket/error/v1/reason_pb.ts";
import { RateClass } from "@docket/contracts/gen/docket/policy/v1/policy_pb.ts";
import { type Upload, UploadState, UploadStateSchema } from "@docket/contracts/gen/docket/storage/v1/upload_pb.ts";
import { enumName } from "@docket/contracts/policy";
import { AppError } from "@docket/runtime/errors";
import type { Demand, SignedIn } from "../guard/gate.ts";
import { type Exchange, headerOf } from "../http/exchange.ts";
import { sendProblem } from "../http/problem.ts";
import type { Route } from "../http/router.ts";
import { meshHeaders } from "../rpc/edge_call.ts";
import { isComplete, refuseFailed, sendTusProblem, setDescription, setUploadHeaders } from "./answers.ts";
import { complete, createUpload, type UploadsOptions } from "./creation.ts";
import {
  checksumAlgorithms,
  checksumOf,
  contentType,
  countOf,
  headerFault,
  tusExtensions,
  tusVersion,
} from "./headers.ts";
import { writeBody } from "./writer.ts";

type Handler = (exchange: Exchange, admission: SignedIn, id: string) => Promise<void>;

interface Action {
  readonly demand: Omit<Demand, "anonymous">;
  readonly run: Handler;
}

const path = /^\/files\/uploads(?:\/?|\/(?<id>[^/]+))$/;
const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

export function uploads(options: UploadsOptions): Route[] {
  const onOne: Readonly<Record<string, Action>> = {
    HEAD: {
      demand: { costClass: RateClass.READ, kind: "unary" },
      run: (exchange, admission, id) => describe(exchange, admission, id, options),
    },
    PATCH: {
      demand: { costClass: RateClass.TRANSFER, kind: "stream" },
      run: (exchange, admission, id) => append(exchange, admission, id, options),
    },
    DELETE: {
      demand: { costClass: RateClass.WRITE, kind: "unary" },
      run: (exchange, admission, id) => terminate(exchange, admission, id, options),
    },
  };
  const onAll: Readonly<Record<string, Action>> = {
    POST: {
      demand: { costClass: RateClass.WRITE, kind: "stream" },
      run: (exchange, admission) => createUpload(exchange, admission, options),
    },
  };
  const serve = async (exchange: Exchange, { id }: Readonly<Record<string, string>>) => {
    try {
      await act(exchange, id, id === undefined ? onAll : onOne, options);
    } catch (error) {
      sendTusProblem(exchange, error);
    }
  };
  const methods = Object.fromEntries(
    ["OPTIONS", "HEAD", "POST", "PATCH", "DELETE", "GET", "PUT"].map((method) => [method, serve]),
  );
  return [{ name: "tus", path, methods }];
}

async function act(
  exchange: Exchange,
  id: string | undefined,
  actions: Readonly<Record<string, Action>>,
  options: UploadsOptions,
): Promise<void> {
  const { response, request } = exchange;
  const method = overridden(exchange);
  if (method === "OPTIONS") return await tellOptions(exchange, options);
  const action = actions[method];
  if (action === undefined) {
    const allow = { allow: ["OPTIONS", ...Object.keys(actions)].join(", "), "tus-resumable": tusVersion };
    return sendProblem(
      exchange,
      new AppError(Reason.MALFORMED, { message: "This method is not allowed here." }),
      405,
      allow,
    );
  }
  if (headerOf(request.headers, "tus-resumable") !== tusVersion) {
    const headers = { "tus-version": tusVersion, "tus-resumable": tusVersion };
    const fault = headerFault("Tus-Resumable", `must be ${tusVersion}`);
    return sendProblem(exchange, fault, 412, headers);
  }
  response.setHeader("tus-resumable", tusVersion);
  const admission = await options.gate.admitSignedIn(exchange, action.demand);
  if (id !== undefined && !uuid.test(id))
    throw new AppError(Reason.NOT_FOUND, { metadata: { kind: "upload", id: "" }, message: "There is no such upload." });
  await action.run(exchange, admission, id?.toLowerCase() ?? "");
}

/** For proxies that know no PATCH. Only a POST may stand for something else. */
function overridden({ method, request }: Exchange): string {
  const wish = headerOf(request.headers, "x-http-method-override")?.toUpperCase();
  return method === "POST" && wish !== undefined && /^(PATCH|DELETE|HEAD)$/.test(wish) ? wish : method;
}

async function tellOptions(exchange: Exchange, { maxBytes }: UploadsOptions): Promise<void> {
  const { response } = exchange;
  response.setHeader("tus-resumable", tusVersion);
  response.setHeader("tus-version", tusVersion);
  response.setHeader("tus-extension", tusExtensions);
  response.setHeader("tus-checksum-algorithm", Object.keys(checksumAlgorithms).join(","));
  response.setHeader("tus-max-size", String(await maxBytes(exchange)));
  response.statusCode = 204;
  response.end();
}

async function find(id: string, exchange: Exchange, admission: SignedIn, { uploads }: UploadsOptions): Promise<Upload> {
  const { upload } = await uploads.getUpload(
    { uploadId: id },
    { headers: meshHeaders(exchange, admission), signal: exchange.signal },
  );
  if (upload === undefined) throw new AppError(Reason.INTERNAL, { message: "Storage named no upload." });
  refuseFailed(upload);
  return upload;
}

async function describe(exchange: Exchange, admission: SignedIn, id: string, options: UploadsOptions): Promise<void> {
  let upload = await find(id, exchange, admission, options);
  // A client that was cut before the last answer learns here that all bytes are there, and asks no further.
  if (upload.state === UploadState.RECEIVING && isComplete(upload))
    upload = await complete(upload, exchange, admission, options);
  setUploadHeaders(exchange, upload);
  setDescription(exchange, upload);
  exchange.response.setHeader("cache-control", "no-store");
  exchange.response.statusCode = 200;
  exchange.response.end();
}

async function append(exchange: Exchange, admission: SignedIn, id: string, options: UploadsOptions): Promise<void> {
  const { request } = exchange;
  if (headerOf(request.headers, "content-type")?.trim().toLowerCase() !== contentType) {
    return sendProblem(exchange, headerFault("Content-Type", `must be ${contentType}`), 415);
  }
  const offset = countOf(exchange, "Upload-Offset");
  if (offset === undefined) throw headerFault("Upload-Offset", "must be there");
  // Read before anything is asked, so that a faulty header costs nothing.
  checksumOf(exchange);
  const said = countOf(exchange, "Upload-Length");
  const bytes = countOf(exchange, "Content-Length");
  const before = await find(id, exchange, admission, options);
  if (before.state !== UploadState.RECEIVING) return repeated(exchange, before, offset, bytes);
  refuseMisfit(before, offset, bytes, said);
  let upload = await writeBody(
    exchange,
    admission,
    { uploadId: id, offset, size: before.size === undefined ? said : undefined },
    options,
  );
  if (isComplete(upload)) upload = await complete(upload, exchange, admission, options);
  finish(exchange, upload);
}

/** A complete upload takes no bytes; but the last PATCH may come again with none, when its answer was lost. */
function repeated(exchange: Exchange, upload: Upload, offset: number, bytes: number | undefined): void {
  if (BigInt(offset) === upload.size && bytes === 0) {
    finish(exchange, upload);
    return;
  }
  const state = enumName(UploadStateSchema, upload.state);
  throw new AppError(Reason.UPLOAD_STATE_CONFLICT, {
    metadata: { state },
    message: "This upload has all of its bytes.",
  });
}

/** What can be told before the bytes come; storage checks it again. */
function refuseMisfit(upload: Upload, offset: number, bytes: number | undefined, said: number | undefined): void {
  const size = upload.size ?? (said === undefined ? undefined : BigInt(said));
  if (said !== undefined && BigInt(said) !== size)
    throw headerFault("Upload-Length", "differs from what was said before");
  if (BigInt(offset) !== upload.offset) {
    throw new AppError(Reason.UPLOAD_OFFSET_CONFLICT, {
      metadata: { offset: String(upload.offset) },
      message: "The upload goes on at another offset.",
    });
  }
  if (size !== undefined && bytes !== undefined && BigInt(offset + bytes) > size) {
    throw new AppError(Reason.UPLOAD_SIZE_EXCEEDED, {
      metadata: { size: String(size) },
      message: "These are more bytes than the upload has.",
    });
  }
}

function finish(exchange: Exchange, upload: Upload): void {
  setUploadHeaders(exchange, upload);
  exchange.response.statusCode = 204;
  exchange.response.end();
}

async function terminate(exchange: Exchange, admission: SignedIn, id: string, options: UploadsOptions): Promise<void> {
  const call = { headers: meshHeaders(exchange, admission) };
  await find(id, exchange, admission, options);
  await options.uploads.abortUpload({ uploadId: id }, call);
  exchange.response.statusCode = 204;
  exchange.response.end();
}
