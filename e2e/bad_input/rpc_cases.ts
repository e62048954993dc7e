// Broken RPCs at the edge: what is no method, no message, no frame, or too much.

import { gzipSync } from "node:zlib";
import { Reason } from "@docket/contracts/gen/docket/error/v1/reason_pb.ts";
import type { World } from "../matrix/world.ts";
import { bytes, frame, http1, http2, type RawAnswer, type RawRequest } from "./raw.ts";

/** One broken request and what it should get. */
export interface Case {
  readonly what: string;
  readonly send: () => Promise<RawAnswer>;
  /** One of these reasons. None: the connection is closed, since there is no way to say more. */
  readonly reasons: readonly Reason[];
}

const createFolder = "/docket.document.v1.FolderService/CreateFolder";
const writeBlob = "/docket.storage.v1.TransferService/WriteBlob";
const json = { "content-type": "application/json", "connect-protocol-version": "1" };
const proto = { "content-type": "application/proto", "connect-protocol-version": "1" };
const stream = { "content-type": "application/connect+proto", "connect-protocol-version": "1" };
const grpc = { "content-type": "application/grpc+proto" };
const grpcWeb = { "content-type": "application/grpc-web+proto" };
const garbage = Buffer.from("ff00ff00ff00ff00deadbeef", "hex");
const big = Buffer.alloc(3 << 20, "a");
const { MALFORMED, MESSAGE_TOO_LARGE, UNIMPLEMENTED, INVALID_ARGUMENT } = Reason;

/** Under Jest the library does not recognise zlib's own error for too much, and calls it undecipherable. */
const tooLarge = [MESSAGE_TOO_LARGE, MALFORMED];

/** Every case, signed in as the workspace's owner. */
export function rpcCases({ mesh: { url }, actors: { owner }, workspaceId, folderId }: World): Case[] {
  const signedIn = { authorization: `Bearer ${owner.secret}` };
  const over1 = (what: string, reasons: readonly Reason[], request: RawRequest): Case => ({
    what,
    reasons,
    send: () => http1(url, { ...request, headers: { ...signedIn, ...request.headers } }),
  });
  const over2 = (what: string, reasons: readonly Reason[], request: RawRequest): Case => ({
    what,
    reasons,
    send: () => http2(url, { ...request, headers: { ...signedIn, ...request.headers } }),
  });
  const named = (name: string) => JSON.stringify({ workspaceId, name });
  return [
    // Methods that are not there, or not for people.
    ...["/docket.document.v1.FolderService/Nonsense", "/docket.user.v1.TokenService/ListPublicKeys"].flatMap((path) => [
      over1(`${path} over Connect JSON`, [UNIMPLEMENTED], { path, headers: json, body: "{}" }),
      over1(`${path} over Connect binary`, [UNIMPLEMENTED], { path, headers: proto }),
      over1(`${path} over gRPC-Web`, [UNIMPLEMENTED], { path, headers: grpcWeb, body: frame(Buffer.alloc(0)) }),
      over2(`${path} over gRPC`, [UNIMPLEMENTED], { path, headers: grpc, body: frame(Buffer.alloc(0)) }),
    ]),
    over1("a service that is not there", [UNIMPLEMENTED], {
      path: "/docket.nope.v1.NopeService/Nope",
      headers: json,
      body: "{}",
    }),
    over1("GET of what changes something", [MALFORMED, UNIMPLEMENTED], {
      method: "GET",
      path: createFolder,
      headers: json,
    }),
    // Content types.
    ...[
      "text/plain",
      "application/xml",
      "multipart/form-data; boundary=x",
      "application/x-www-form-urlencoded",
      "",
    ].map((type) =>
      over1(`content type "${type}"`, [MALFORMED, Reason.CROSS_SITE], {
        path: createFolder,
        headers: { "content-type": type },
        body: named("x"),
      }),
    ),
    over2("gRPC with an unknown codec", [MALFORMED, UNIMPLEMENTED], {
      path: createFolder,
      headers: { "content-type": "application/grpc+thrift" },
      body: frame(garbage),
    }),
    // Messages that are none.
    ...["{", "[]", '"x"', "null", '{"name":5}', '{"workspaceId":{"a":1}}', "[".repeat(50_000), '{"name":"\ud800"'].map(
      (body) =>
        over1(`JSON ${body.slice(0, 24)}`, [MALFORMED, INVALID_ARGUMENT], { path: createFolder, headers: json, body }),
    ),
    over1("protobuf garbage over Connect", [MALFORMED], { path: createFolder, headers: proto, body: garbage }),
    over1("protobuf garbage over gRPC-Web", [MALFORMED], {
      path: createFolder,
      headers: grpcWeb,
      body: frame(garbage),
    }),
    over2("protobuf garbage over gRPC", [MALFORMED], { path: createFolder, headers: grpc, body: frame(garbage) }),
    over1("a string that is no UTF-8", [MALFORMED, INVALID_ARGUMENT], {
      path: createFolder,
      headers: proto,
      body: Buffer.concat([Buffer.from([0x1a, 2]), Buffer.from([0xc3, 0x28])]),
    }),
    // Frames.
    ...(
      [
        ["gRPC", over2, grpc],
        ["gRPC-Web", over1, grpcWeb],
      ] as const
    ).flatMap(([protocol, over, headers]) => [
      over(`${protocol}: a frame that ends early`, [MALFORMED], {
        path: createFolder,
        headers,
        body: frame(garbage, { length: 100 }),
      }),
      over(`${protocol}: half a frame's head`, [MALFORMED], { path: createFolder, headers, body: Buffer.from([0, 0]) }),
      over(`${protocol}: no frame at all`, [MALFORMED, UNIMPLEMENTED], { path: createFolder, headers }),
      over(`${protocol}: two messages for one`, [MALFORMED, UNIMPLEMENTED, INVALID_ARGUMENT], {
        path: createFolder,
        headers,
        body: Buffer.concat([frame(Buffer.alloc(0)), frame(Buffer.alloc(0))]),
      }),
      over(`${protocol}: a frame of 4 GiB`, [MALFORMED, MESSAGE_TOO_LARGE], {
        path: createFolder,
        headers,
        body: frame(garbage, { length: 0xffff_ffff }),
      }),
      over(`${protocol}: flags that mean nothing`, [MALFORMED, UNIMPLEMENTED], {
        path: createFolder,
        headers,
        body: frame(garbage, { flags: 0x7e }),
      }),
      over(`${protocol}: compressed without saying how`, [MALFORMED, UNIMPLEMENTED], {
        path: createFolder,
        headers,
        body: frame(garbage, { flags: 1 }),
      }),
      over(`${protocol}: gzip that is none`, [MALFORMED], {
        path: createFolder,
        headers: { ...headers, "grpc-encoding": "gzip" },
        body: frame(garbage, { flags: 1 }),
      }),
      over(`${protocol}: an unknown compression`, [MALFORMED, UNIMPLEMENTED], {
        path: createFolder,
        headers: { ...headers, "grpc-encoding": "snappy" },
        body: frame(garbage, { flags: 1 }),
      }),
      over(`${protocol}: a message of 3 MiB`, [MESSAGE_TOO_LARGE], { path: createFolder, headers, body: frame(big) }),
      over(`${protocol}: gzip that swells to 3 MiB`, tooLarge, {
        path: createFolder,
        headers: { ...headers, "grpc-encoding": "gzip" },
        body: frame(gzipSync(big), { flags: 1 }),
      }),
    ]),
    over2("a client stream that ends within a frame", [MALFORMED], {
      path: writeBlob,
      headers: grpc,
      body: frame(garbage, { length: 1000 }),
    }),
    over1("a client stream over Connect that ends within a frame", [MALFORMED], {
      path: writeBlob,
      headers: stream,
      body: frame(garbage, { length: 1000 }),
    }),
    over2("a client stream without a message", [MALFORMED, INVALID_ARGUMENT], { path: writeBlob, headers: grpc }),
    over2("a chunk of 3 MiB", [MESSAGE_TOO_LARGE], { path: writeBlob, headers: grpc, body: frame(big) }),
    // Too much, and wrongly packed, over Connect.
    over1("JSON of 3 MiB", [MESSAGE_TOO_LARGE], { path: createFolder, headers: json, body: named(big.toString()) }),
    over1("protobuf of 3 MiB", [MESSAGE_TOO_LARGE], { path: createFolder, headers: proto, body: big }),
    over1("gzip that swells to 3 MiB", tooLarge, {
      path: createFolder,
      headers: { ...json, "content-encoding": "gzip" },
      body: gzipSync(named(big.toString())),
    }),
    over1("gzip that is none", [MALFORMED], {
      path: createFolder,
      headers: { ...json, "content-encoding": "gzip" },
      body: named("x"),
    }),
    over1("gzip that ends early", [MALFORMED], {
      path: createFolder,
      headers: { ...json, "content-encoding": "gzip" },
      body: gzipSync(named("x")).subarray(0, -9),
    }),
    over1("an unknown compression", [MALFORMED, UNIMPLEMENTED], {
      path: createFolder,
      headers: { ...json, "content-encoding": "snappy" },
      body: named("x"),
    }),
    over1("a deadline that is none", [MALFORMED], {
      path: createFolder,
      headers: { ...json, "connect-timeout-ms": "soon" },
      body: named("x"),
    }),
    over1("GET with a message that is none", [MALFORMED], {
      method: "GET",
      path: "/docket.document.v1.FolderService/GetFolder?connect=v1&encoding=json&message=%7B",
    }),
    over1("GET with an unknown encoding", [MALFORMED], {
      method: "GET",
      path: `/docket.document.v1.FolderService/GetFolder?connect=v1&encoding=xml&message=${encodeURIComponent(JSON.stringify({ folderId }))}`,
    }),
    {
      what: "an RPC whose body ends early",
      reasons: [MALFORMED],
      send: () =>
        bytes(
          url,
          `POST ${createFolder} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${owner.secret}\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{"name":`,
        ),
    },
    {
      what: "an RPC with a chunk that has no size",
      reasons: [MALFORMED],
      send: () =>
        bytes(
          url,
          `POST ${createFolder} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${owner.secret}\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n{}\r\n`,
        ),
    },
  ];
}
