// The last touch on an RPC's answer: errors that the protocol library makes by itself get a reason and the request's
// id like all others, and answers to GET may be kept by the browser under a validator.

import { createHash } from "node:crypto";
import { durationMs } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError } from "@connectrpc/connect";
import type { UniversalServerResponse } from "@connectrpc/connect/protocol";
import { codeFromString, codeToHttpStatus, errorFromJson, errorToJson } from "@connectrpc/connect/protocol-connect";
import { findTrailerError, setTrailerStatus } from "@connectrpc/connect/protocol-grpc";
import { Reason, ReasonSchema } from "@docket/contracts/gen/docket/error/v1/reason_pb.ts";
import { type Cache, CacheScope } from "@docket/contracts/gen/docket/policy/v1/policy_pb.ts";
import { enumName } from "@docket/contracts/policy";
import type { Rpc } from "@docket/contracts/registry";
import { AppError, reasonOf, toConnectError } from "@docket/runtime/errors";
import { etagMatches } from "../http/etag.ts";
import { type Exchange, headerOf } from "../http/exchange.ts";
import { problemBody, problemOf } from "../http/problem.ts";
import { inOurTerms } from "./reasons.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder();

export async function finishAnswer(
  answer: UniversalServerResponse,
  exchange: Exchange,
  rpc: Rpc | undefined,
): Promise<UniversalServerResponse> {
  if (answer.body === undefined && answer.status >= 400) return bare(answer, exchange);
  if (answer.trailer !== undefined && answer.body !== undefined)
    return { ...answer, body: mendingTrailer(answer, exchange) };
  if (answer.body !== undefined && answer.header?.get("content-type")?.startsWith("application/grpc-web"))
    return { ...answer, body: mendingLastFrame(answer.body as AsyncIterable<Uint8Array>, exchange) };
  const unary =
    answer.header?.get("content-type")?.startsWith("application/json") ||
    answer.header?.get("content-type") === "application/proto";
  if (!unary || answer.body === undefined) return answer;
  if (answer.status >= 400) return await mendedError(answer, exchange);
  return exchange.method === "GET" ? await cached(answer, exchange, rpc?.policy.cache) : answer;
}

/** Gives a reason to an error that the library made. One that was told before (rpc/forward.ts, translate) has its words. */
function withReason(error: ConnectError, exchange: Exchange): ConnectError {
  if (reasonOf(error) !== undefined || exchange.outcome.told) return error;
  const mended = toConnectError(inOurTerms(error), exchange.requestId);
  exchange.outcome.reason ??= enumName(ReasonSchema, reasonOf(mended) ?? Reason.INTERNAL);
  return mended;
}

function bare(answer: UniversalServerResponse, exchange: Exchange): UniversalServerResponse {
  const reason = answer.status === 404 ? Reason.UNIMPLEMENTED : Reason.MALFORMED;
  const message = {
    404: "There is no such method here.",
    405: "This method takes POST.",
    415: "This content type is not one of an RPC.",
  }[answer.status];
  exchange.outcome.reason = enumName(ReasonSchema, reason);
  const problem = problemOf(new AppError(reason, message === undefined ? {} : { message }), exchange.requestId);
  const header = new Headers(answer.header);
  header.set("content-type", "application/json; charset=utf-8");
  return { ...answer, header, body: chunk(encoder.encode(problemBody(problem, exchange.requestId))) };
}

async function mendedError(answer: UniversalServerResponse, exchange: Exchange): Promise<UniversalServerResponse> {
  const bytes = await gathered(answer.body);
  const header = new Headers(answer.header);
  // Large errors may be compressed; those are ours, and have their reason.
  if (header.has("content-encoding")) return { ...answer, body: chunk(bytes) };
  const json = JSON.parse(decoder.decode(bytes)) as { code?: string };
  const code = json.code === undefined ? undefined : codeFromString(json.code);
  const error = errorFromJson(json as never, undefined, new ConnectError("", code ?? Code.Unknown));
  const mended = withReason(error, exchange);
  if (mended === error) return { ...answer, body: chunk(bytes) };
  const body = encoder.encode(JSON.stringify(errorToJson(mended, undefined)));
  header.set("content-length", String(body.byteLength));
  return { status: codeToHttpStatus(mended.code), header, body: chunk(body) };
}

async function* mendingTrailer(answer: UniversalServerResponse, exchange: Exchange): AsyncGenerator<Uint8Array> {
  yield* answer.body as AsyncIterable<Uint8Array>;
  // Only now has the library said how it ended.
  const { trailer } = answer;
  const error = trailer === undefined ? undefined : findTrailerError(trailer);
  if (error === undefined || trailer === undefined) return;
  const mended = withReason(error, exchange);
  if (mended !== error) setTrailerStatus(trailer, mended);
}

/** The flag of gRPC-Web's last frame, which holds the trailers. A compressed one is large, and so is one of ours. */
const trailerFlag = 0x80;

/** gRPC-Web has its trailers in the body. The library hands each frame over in one piece. */
async function* mendingLastFrame(body: AsyncIterable<Uint8Array>, exchange: Exchange): AsyncGenerator<Uint8Array> {
  for await (const frame of body) yield frame[0] === trailerFlag ? mendedFrame(frame, exchange) : frame;
}

function mendedFrame(frame: Uint8Array, exchange: Exchange): Uint8Array {
  const trailer = new Headers();
  for (const line of decoder.decode(frame.subarray(5)).split("\r\n")) {
    const colon = line.indexOf(":");
    if (colon > 0) trailer.append(line.slice(0, colon), line.slice(colon + 1).trim());
  }
  const error = findTrailerError(trailer);
  if (error === undefined) return frame;
  const mended = withReason(error, exchange);
  if (mended === error) return frame;
  setTrailerStatus(trailer, mended);
  const text = encoder.encode([...trailer].map(([name, value]) => `${name}: ${value}\r\n`).join(""));
  const whole = Buffer.alloc(5 + text.byteLength);
  whole.writeUInt8(trailerFlag, 0);
  whole.writeUInt32BE(text.byteLength, 1);
  whole.set(text, 5);
  return whole;
}

async function cached(
  answer: UniversalServerResponse,
  exchange: Exchange,
  cache: Cache | undefined,
): Promise<UniversalServerResponse> {
  const bytes = await gathered(answer.body);
  const header = new Headers(answer.header);
  const etag = `W/"${createHash("sha256").update(bytes).digest("base64url").slice(0, 22)}"`;
  header.set("etag", etag);
  header.set("cache-control", cacheControl(cache));
  header.set("vary", "accept-encoding, authorization, cookie");
  const wanted = headerOf(exchange.request.headers, "if-none-match");
  if (wanted !== undefined && etagMatches(wanted, etag)) {
    header.delete("content-length");
    header.delete("content-type");
    return { status: 304, header };
  }
  return { ...answer, header, body: chunk(bytes) };
}

function cacheControl(cache: Cache | undefined): string {
  if (cache?.maxAge === undefined || cache.scope === CacheScope.UNSPECIFIED) return "private, no-cache";
  const scope = cache.scope === CacheScope.PUBLIC ? "public" : "private";
  return `${scope}, max-age=${Math.floor(durationMs(cache.maxAge) / 1000)}`;
}

async function gathered(body: UniversalServerResponse["body"]): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  for await (const piece of body as AsyncIterable<Uint8Array>) pieces.push(piece);
  return pieces.length === 1 && pieces[0] !== undefined ? pieces[0] : Buffer.concat(pieces);
}

async function* chunk(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}
