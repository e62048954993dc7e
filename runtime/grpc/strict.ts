// Requests that are no gRPC with protobuf. grpc-js 1.14 serves any method and every content type that begins with
// application/grpc; the mesh's policies name POST, and who decides by them must not be told another story here.

import { constants, type Http2Server, type IncomingHttpHeaders, type ServerHttp2Stream } from "node:http2";
import type { Server } from "@grpc/grpc-js";

/** What grpc-js makes its HTTP/2 servers with; a test notices when that changes. */
interface Inside {
  createHttp2Server(credentials: unknown): Http2Server;
}

/** Makes a server that is not bound yet answer 405 and 415, as HTTP has it. */
export function refuseOthers(server: Server): void {
  const inside = server as unknown as Inside;
  const make = inside.createHttp2Server.bind(server);
  inside.createHttp2Server = (credentials) => {
    const made = make(credentials);
    const emit = made.emit.bind(made);
    made.emit = (event: string, ...rest: unknown[]) => {
      const status = event === "stream" ? refusalOf(rest[1] as IncomingHttpHeaders) : undefined;
      if (status === undefined) return emit(event, ...rest);
      refuse(rest[0] as ServerHttp2Stream, status);
      return true;
    };
    return made;
  };
}

function refusalOf(headers: IncomingHttpHeaders): number | undefined {
  if (headers[":method"] !== "POST") return constants.HTTP_STATUS_METHOD_NOT_ALLOWED;
  if (!/^application\/grpc(\+proto)?(;|$)/.test(headers["content-type"] ?? ""))
    return constants.HTTP_STATUS_UNSUPPORTED_MEDIA_TYPE;
  return undefined;
}

function refuse(stream: ServerHttp2Stream, status: number): void {
  stream.on("error", () => undefined);
  stream.respond({ ":status": status }, { endStream: true });
  // Whatever comes of a body is dropped.
  stream.resume();
}
