// How the suite's runner and the programs that it tests speak on standard input and output: messages behind their length,
// four bytes, the most significant first.

import type { Readable, Writable } from "node:stream";
import { type DescMessage, fromBinary, type MessageShape, toBinary } from "@bufbuild/protobuf";

/** The messages of a stream, until it ends. Throws where it ends within one. */
export async function* readMessages<Desc extends DescMessage>(
  desc: Desc,
  from: Readable,
): AsyncGenerator<MessageShape<Desc>> {
  let waiting: Buffer = Buffer.alloc(0);
  for await (const piece of from) {
    waiting = Buffer.concat([waiting, piece as Buffer]);
    while (waiting.length >= 4 && waiting.length >= 4 + waiting.readUInt32BE(0)) {
      const end = 4 + waiting.readUInt32BE(0);
      yield fromBinary(desc, waiting.subarray(4, end));
      waiting = waiting.subarray(end);
    }
  }
  if (waiting.length > 0) throw new Error("The input ended within a message.");
}

/** Writes one message. */
export function writeMessage<Desc extends DescMessage>(desc: Desc, message: MessageShape<Desc>, to: Writable): void {
  const bytes = toBinary(desc, message);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  to.write(Buffer.concat([length, bytes]));
}
