// Downloads over plain HTTP: a version of a document, or its newest one, whole or a part of it.

import type { Version } from "@docket/contracts/gen/docket/document/v1/version_pb.ts";
import { Reason } from "@docket/contracts/gen/docket/error/v1/reason_pb.ts";
import { RateClass } from "@docket/contracts/gen/docket/policy/v1/policy_pb.ts";
import { AppError } from "@docket/runtime/errors";
import type { Gate, SignedIn } from "../guard/gate.ts";
import { etagMatches, etagMatchesStrongly } from "../http/etag.ts";
import { type Exchange, headerOf } from "../http/exchange.ts";
import { sendProblem } from "../http/problem.ts";
import type { Route } from "../http/router.ts";
import type { Contents, Wanted } from "./contents.ts";
import { answerType, contentDisposition, mayShowInline } from "./disposition.ts";
import { type ByteRange, rangeOf } from "./range.ts";
import { writePiece } from "./write.ts";

export interface DownloadOptions {
  readonly contents: Contents;
  readonly gate: Gate;
  /** How long a client may read nothing, in milliseconds. */
  readonly idleMs: number;
}

const path =
  /^\/files\/documents\/(?<document>[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})(?:\/versions\/(?<number>[1-9]\d{0,8}))?$/i;

export function downloads(options: DownloadOptions): Route[] {
  const handler: Route["methods"][string] = async (exchange, { document = "", number = "0" }) => {
    await download(exchange, { documentId: document.toLowerCase(), number: Number(number) }, options);
  };
  return [{ name: "download", path, methods: { GET: handler, HEAD: handler } }];
}

async function download(exchange: Exchange, wanted: Wanted, options: DownloadOptions): Promise<void> {
  const kind = exchange.method === "HEAD" ? "unary" : "stream";
  const admission = await options.gate.admitSignedIn(exchange, { costClass: RateClass.TRANSFER, kind });
  const { version, ticket } = await options.contents.open(wanted, exchange, admission);
  setHeaders(exchange, version);
  const range = negotiate(exchange, version);
  if (range === undefined) return;
  if (exchange.method === "HEAD" || range.length === 0) {
    exchange.response.end();
    return;
  }
  await send(exchange, version, ticket, range, admission, options);
}

function setHeaders({ response, query }: Exchange, version: Version): void {
  const type = answerType(version.mediaType);
  const inline = query.get("inline") === "1" && mayShowInline(type);
  const digest = Buffer.from(version.digest);
  response.setHeader("etag", etagOf(version));
  response.setHeader("repr-digest", `sha-256=:${digest.toString("base64")}:`);
  response.setHeader("accept-ranges", "bytes");
  response.setHeader("cache-control", "private, no-cache");
  response.setHeader("vary", "authorization, cookie");
  response.setHeader("content-security-policy", "sandbox; default-src 'none'");
  response.setHeader("content-disposition", contentDisposition(inline ? "inline" : "attachment", version.fileName));
  response.setHeader("content-type", type);
}

/** The digest itself: equal bytes have equal tags, and other bytes never. */
function etagOf({ digest }: Version): string {
  return `"${Buffer.from(digest).toString("hex")}"`;
}

/** Sets the status and says which bytes follow; undefined when the answer has been given. */
function negotiate(exchange: Exchange, version: Version): ByteRange | undefined {
  const { request, response } = exchange;
  const etag = etagOf(version);
  const size = Number(version.size);
  const ifMatch = headerOf(request.headers, "if-match");
  const ifNoneMatch = headerOf(request.headers, "if-none-match");
  if (ifMatch !== undefined && !etagMatchesStrongly(ifMatch, etag)) {
    sendProblem(exchange, new AppError(Reason.ETAG_MISMATCH, { metadata: { etag } }), 412);
    return undefined;
  }
  if (ifNoneMatch !== undefined && etagMatches(ifNoneMatch, etag)) {
    response.removeHeader("content-type");
    response.statusCode = 304;
    response.end();
    return undefined;
  }
  const ifRange = headerOf(request.headers, "if-range");
  const asked =
    ifRange === undefined || etagMatchesStrongly(ifRange, etag) ? headerOf(request.headers, "range") : undefined;
  const range = exchange.method === "GET" ? rangeOf(asked, size) : undefined;
  if (range === "unsatisfiable") {
    const fault = new AppError(Reason.RANGE_INVALID, { metadata: { size: String(size) } });
    sendProblem(exchange, fault, 416, { "content-range": `bytes */${size}` });
    return undefined;
  }
  const bytes = range ?? { offset: 0, length: size };
  response.statusCode = range === undefined ? 200 : 206;
  if (range !== undefined)
    response.setHeader("content-range", `bytes ${range.offset}-${range.offset + range.length - 1}/${size}`);
  response.setHeader("content-length", String(bytes.length));
  return bytes;
}

async function send(
  exchange: Exchange,
  version: Version,
  ticket: string,
  range: ByteRange,
  admission: SignedIn,
  options: DownloadOptions,
): Promise<void> {
  // Nothing is sent before the first piece is here, so that what fails at once still gets a status of its own.
  for await (const piece of options.contents.read(version, ticket, range, exchange, admission)) {
    await writePiece(exchange, piece, options.idleMs);
  }
  exchange.response.end();
}
