import { Readable } from "node:stream";
import { describe, expect, it } from "@jest/globals";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import {
  ReadBlobResponseSchema,
  WriteBlobRequestSchema,
  WriteBlobStartSchema,
} from "@docket/contracts/gen/docket/storage/v1/transfer_service_pb.ts";
import { chunkOf, encode, holdFewChunks } from "./encode.ts";

describe("encoding a message", () => {
  it.each([0, 1, 127, 128, 300, 16_383, 16_384, 300_000, 2_100_000])(
    "gives a chunk of %d bytes as the general encoder does",
    (size) => {
      const value = Uint8Array.from({ length: size }, (_, index) => index % 251);
      const message = create(ReadBlobResponseSchema, { part: { case: "chunk", value } });
      const chunk = chunkOf(ReadBlobResponseSchema, message);
      const frame = Buffer.alloc(5 + (chunk?.length ?? 0));
      chunk?.copy(frame, 5);
      expect(Buffer.compare(frame.subarray(5), toBinary(ReadBlobResponseSchema, message))).toBe(0);
    },
  );

  it("leaves every other message to the general encoder", () => {
    const message = create(WriteBlobRequestSchema, { part: { case: "start", value: { uploadId: "u", offset: 5n } } });
    expect(chunkOf(WriteBlobRequestSchema, message)).toBeUndefined();
    expect(fromBinary(WriteBlobRequestSchema, encode(WriteBlobRequestSchema, message))).toEqual(message);
    expect(encode(WriteBlobRequestSchema, create(WriteBlobRequestSchema))).toHaveLength(0);
  });
});

describe("a stream of messages", () => {
  it.each([
    ["two chunks", WriteBlobRequestSchema, 2],
    ["as many other messages as before", WriteBlobStartSchema, 16],
  ])("holds %s that are not read yet", (_what, schema, count) => {
    const stream = new Readable({ objectMode: true });
    holdFewChunks(schema, stream);
    expect(stream.readableHighWaterMark).toBe(count);
  });
});
