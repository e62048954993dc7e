// An edge for tests of the stream of changes: the test says what comes on it, and when.

import { create, toBinary } from "@bufbuild/protobuf";
import { base64Encode } from "@bufbuild/protobuf/wire";
import { ErrorInfoSchema } from "@docket/contracts/gen/docket/error/v1/error_info_pb.ts";
import { Reason } from "@docket/contracts/gen/docket/error/v1/reason_pb.ts";
import { Envelopes, enveloped } from "../app/live/envelopes.ts";

/** A stream that was opened. */
export interface WatchedStream {
  /** The cursor that it was opened with; empty: from now on. */
  readonly cursor: string;
  /** Whether the browser has let it go. */
  readonly aborted: boolean;
  /** A message: its place, and changes by their ids. None: a heartbeat. */
  say(cursor: string, ...changeIds: string[]): void;
  /** Any bytes. */
  send(bytes: Uint8Array): void;
  /** Ends it with a reason. */
  refuse(reason: Reason, retryAfterSeconds?: number): void;
  /** Ends it in the middle, as a cut network does. */
  cut(): void;
}

export interface LiveEdge {
  readonly fetch: typeof fetch;
  /** All streams that were opened, in order. */
  readonly streams: readonly WatchedStream[];
  /** The cursors that ListChanges was asked with. */
  readonly listed: readonly string[];
  /** Who is signed in; undefined: nobody. */
  user: string | undefined;
  /** Why streams are refused at once; undefined: they are not. */
  refuses: Reason | undefined;
  /** Whether it is there at all: `down` refuses connections, `mute` never answers. */
  network: "up" | "down" | "mute" | "captive";
  /** What ListChanges gives. */
  list: { cursor: string; changes?: { id: string }[]; more?: boolean };
}

export function liveEdge(): LiveEdge {
  const streams: WatchedStream[] = [];
  const listed: string[] = [];
  const edge: LiveEdge = {
    streams,
    listed,
    user: "anna",
    refuses: undefined,
    network: "up",
    list: { cursor: "listed" },
    fetch: async (input, init = {}) => {
      const signal = init.signal ?? new AbortController().signal;
      if (edge.network === "mute")
        await new Promise((_, fail) => signal.addEventListener("abort", () => fail(signal.reason)));
      if (edge.network === "down") throw new TypeError("Failed to fetch");
      if (edge.network === "captive")
        return new Response("<html>Accept our terms</html>", { headers: { "content-type": "text/html" } });
      const method = String(input).split("/").at(-1);
      if (method === "GetSession") return sessionOf(edge.user);
      if (method === "ListChanges") {
        listed.push(cursorOf(String(init.body)));
        return edge.user === undefined ? errorAnswer(Reason.SESSION_REQUIRED) : json(edge.list);
      }
      const [asked] = new Envelopes().push(init.body as Uint8Array);
      const { stream, response } = streamOf(cursorOf(asked?.text ?? "{}"), signal);
      streams.push(stream);
      if (edge.refuses !== undefined) stream.refuse(edge.refuses);
      return response;
    },
  };
  return edge;
}

function streamOf(cursor: string, signal: AbortSignal): { stream: WatchedStream; response: Response } {
  let controller: ReadableStreamDefaultController<Uint8Array> | undefined;
  const body = new ReadableStream<Uint8Array>({
    start(made) {
      controller = made;
    },
  });
  signal.addEventListener("abort", () => {
    try {
      controller?.error(signal.reason);
    } catch {
      // It had ended.
    }
  });
  const stream: WatchedStream = {
    cursor,
    get aborted() {
      return signal.aborted;
    },
    say(place, ...ids) {
      const message = ids.length > 0 ? { cursor: place, changes: ids.map((id) => ({ id })) } : { cursor: place };
      stream.send(enveloped(JSON.stringify(message)));
    },
    send: (bytes) => controller?.enqueue(bytes),
    refuse(reason, retryAfterSeconds) {
      const framed = enveloped(JSON.stringify({ error: errorOf(reason, retryAfterSeconds) }));
      framed[0] = 2;
      stream.send(framed);
      controller?.close();
    },
    cut: () => controller?.error(new TypeError("network error")),
  };
  return { stream, response: new Response(body, { headers: { "content-type": "application/connect+json" } }) };
}

function cursorOf(request: string): string {
  return (JSON.parse(request) as { cursor?: string }).cursor ?? "";
}

function sessionOf(user: string | undefined): Response {
  return user === undefined ? errorAnswer(Reason.SESSION_INVALID) : json({ user: { id: user } });
}

function errorAnswer(reason: Reason): Response {
  return json(errorOf(reason), 401);
}

function json(body: unknown, status = 200): Response {
  return new Response(JSON.stringify(body), { status, headers: { "content-type": "application/json" } });
}

function errorOf(reason: Reason, retryAfterSeconds?: number) {
  const retryAfter = retryAfterSeconds === undefined ? {} : { retryAfter: { seconds: BigInt(retryAfterSeconds) } };
  const info = create(ErrorInfoSchema, { reason, ...retryAfter });
  const value = base64Encode(toBinary(ErrorInfoSchema, info), "std_raw");
  return { code: "unavailable", message: "…", details: [{ type: "docket.error.v1.ErrorInfo", value }] };
}
