// Answers that begin or end a session. Browsers get the secret as a cookie that no script can read, and not in the
// message; other clients get it in the message as well.

import type { DescMethod, Message } from "@bufbuild/protobuf";
import { type Timestamp, timestampMs } from "@bufbuild/protobuf/wkt";
import { SessionService } from "@docket/contracts/gen/docket/user/v1/session_service_pb.ts";
import type { SessionCookie } from "../session/cookie.ts";
import type { OpenStreams } from "../session/open_streams.ts";
import type { EdgeCall } from "./edge_call.ts";

/** The shape of every answer that begins a session. */
interface BeginsSession {
  sessionSecret: string;
  session?: { readonly expireTime?: Timestamp };
}

export class SessionAnswers {
  readonly #cookie: SessionCookie;
  readonly #streams: OpenStreams;
  readonly #now: () => number;

  constructor(cookie: SessionCookie, streams: OpenStreams, now: () => number = Date.now) {
    this.#cookie = cookie;
    this.#streams = streams;
    this.#now = now;
  }

  finish(method: DescMethod, message: Message, call: EdgeCall, protocol: string): Message {
    if (beginsSession(method)) return this.#begin(message as Message & BeginsSession, call, protocol);
    if (method === SessionService.method.signOut) this.#end(call);
    return message;
  }

  #begin(message: Message & BeginsSession, { exchange }: EdgeCall, protocol: string): Message {
    const { sessionSecret, session } = message;
    // gRPC clients keep no cookies.
    if (sessionSecret === "" || protocol === "grpc") return message;
    const expiresAt = session?.expireTime === undefined ? this.#now() : timestampMs(session.expireTime);
    exchange.response.appendHeader("set-cookie", this.#cookie.set(sessionSecret, expiresAt - this.#now()));
    return isBrowser(exchange.request.headers) ? ({ ...message, sessionSecret: "" } as Message) : message;
  }

  #end({ exchange, admission }: EdgeCall): void {
    const sessionId = admission?.subject?.sessionId;
    if (sessionId !== undefined) this.#streams.end((subject) => subject.sessionId === sessionId);
    if (admission?.credential?.cookie) exchange.response.appendHeader("set-cookie", this.#cookie.clear());
  }
}

/** Told by the contract: an answer with a session's secret in it. */
export function beginsSession({ output }: DescMethod): boolean {
  return output.field.sessionSecret !== undefined && output.field.session !== undefined;
}

/** Scripts cannot keep a browser from sending one of these; other clients send neither. */
function isBrowser(headers: Readonly<Record<string, unknown>>): boolean {
  return headers["sec-fetch-site"] !== undefined || headers.origin !== undefined;
}
