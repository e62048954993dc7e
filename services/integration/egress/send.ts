// Sends one request to a webhook and tells what came of it. Everything is bounded: the time, the answer, what is kept of it; no
// redirection is followed. It must never know what is sent, nor why.
import { type IncomingMessage, request as httpRequest } from "node:http";
import { traced } from "@docket/runtime/telemetry/span";
import { type ConnectOptions, connectTo, NoConnection, systemDial, systemResolve } from "./connect.ts";
import { createAddressRules } from "./addresses.ts";
import { targetOf, type Target, UrlRefused } from "./url.ts";

/** Why nothing was delivered. */
export type SendFailure = "status" | "redirect" | "refused" | "name" | "connection" | "tls" | "timeout" | "protocol";

/** What came of a request. */
export interface Outcome {
  /** Undefined: the receiver took it. */
  readonly failure: SendFailure | undefined;
  /** The status of the answer; 0: there was none. */
  readonly status: number;
  /** The beginning of the answer's body. */
  readonly answer: string;
  /** When the receiver wants to be asked again, in milliseconds from now. */
  readonly retryAfterMs: number | undefined;
}

/** What is sent. */
export interface Sending {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** Sends requests out. */
export interface Egress {
  /** Throws UrlRefused if webhooks may not go to this URL; what its name stands for is judged when it is sent to. */
  check(url: string): Target;
  /** Sends once. Never throws: what goes wrong is an outcome. The signal ends it early, as a broken connection. */
  send(sending: Sending, signal?: AbortSignal): Promise<Outcome>;
}

/** What the egress is made from. */
export interface EgressOptions extends Partial<Pick<ConnectOptions, "resolve" | "dial">> {
  /** Ranges that may be reached although they are not public. */
  readonly allowedRanges?: readonly string[];
  /** Ranges that may not be reached although they are public. */
  readonly deniedRanges?: readonly string[];
  /** Whether http is good enough. Default: no. */
  readonly allowHttp?: boolean;
  /** How long a request may take, name and connection included, in milliseconds. */
  readonly timeoutMs: number;
}

/** How much of an answer is kept, in characters. */
const answerCharacters = 1024;
const mostHeaderBytes = 16 * 1024;
/** How many answers of the kind 1xx may come before the real one: they are bounded by nothing else but the time. */
const mostInterim = 8;

/** Makes an egress. Throws RangeError with the text of a range that is none. */
export function createEgress(options: EgressOptions): Egress {
  const { allowedRanges = [], deniedRanges = [], allowHttp = false, timeoutMs } = options;
  const addresses = createAddressRules({ allowed: allowedRanges, denied: deniedRanges });
  const connecting = { addresses, resolve: options.resolve ?? systemResolve, dial: options.dial ?? systemDial };
  const check = (url: string) => targetOf(url, { addresses, allowHttp });
  return {
    check,
    // The receiver is told nothing of the trace, and the trace nothing of the receiver: its address may hold a secret.
    send: (sending, signal) =>
      traced("POST webhook", "client", { "http.request.method": "POST" }, async (span) => {
        const outcome = await attempt(sending, signal);
        span?.set({ "http.response.status_code": outcome.status || undefined });
        if (outcome.failure !== undefined) span?.fail(outcome.failure);
        return outcome;
      }),
  };

  async function attempt(sending: Sending, signal: AbortSignal | undefined): Promise<Outcome> {
    const limit = AbortSignal.timeout(timeoutMs);
    const ending = signal === undefined ? limit : AbortSignal.any([limit, signal]);
    try {
      return await exchange(check(sending.url), sending, connecting, ending);
    } catch (error) {
      return failed(limit.aborted ? "timeout" : failureOf(error));
    }
  }
}

/** The receiver says again and again that it will answer. */
class EndlessInterim extends Error {
  override readonly name = "EndlessInterim";
}

async function exchange(
  target: Target,
  { headers, body }: Sending,
  connecting: ConnectOptions,
  signal: AbortSignal,
): Promise<Outcome> {
  const socket = await connectTo(target, connecting, signal);
  try {
    const bytes = Buffer.from(body);
    const answer = await new Promise<IncomingMessage>((resolve, reject) => {
      const request = httpRequest({
        // The socket is the checked one; without an agent there is no other, and no proxy.
        createConnection: () => socket,
        method: "POST",
        path: `${target.url.pathname}${target.url.search}`,
        headers: { ...headers, host: target.url.host, "content-length": bytes.length, connection: "close" },
        maxHeaderSize: mostHeaderBytes,
        signal,
      });
      request.on("response", resolve);
      let interim = 0;
      request.on("information", () => {
        interim += 1;
        if (interim > mostInterim) request.destroy(new EndlessInterim("the receiver does not come to its answer"));
      });
      request.on("upgrade", () => reject(new Error("the receiver wants another protocol")));
      request.on("error", reject);
      request.end(bytes);
    });
    const status = answer.statusCode ?? 0;
    const text = await beginningOf(answer);
    const failure = status >= 200 && status < 300 ? undefined : status >= 300 && status < 400 ? "redirect" : "status";
    return { failure, status, answer: text, retryAfterMs: retryAfterOf(answer.headers["retry-after"]) };
  } finally {
    socket.destroy();
  }
}

/** The beginning of the body, as far as it comes: the status has been said, so nothing here makes the delivery fail. */
async function beginningOf(answer: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  let size = 0;
  try {
    for await (const part of answer as AsyncIterable<Buffer>) {
      parts.push(part);
      size += part.length;
      // Four bytes are the longest character.
      if (size >= answerCharacters * 4) break;
    }
  } catch {
    // Cut short, or too slow.
  }
  return printable(
    Buffer.concat(parts)
      .subarray(0, answerCharacters * 4)
      .toString(),
  ).slice(0, answerCharacters);
}

/** Control characters other than line breaks and tabs are of no use in a log. */
function printable(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is taken out
  return text.replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f]/g, "\ufffd").toWellFormed();
}

/** Seconds, or a date. */
function retryAfterOf(header: string | undefined): number | undefined {
  if (header === undefined) return undefined;
  if (/^\d{1,9}$/.test(header)) return Number(header) * 1000;
  const until = Date.parse(header);
  return Number.isNaN(until) ? undefined : Math.max(0, until - Date.now());
}

function failureOf(error: unknown): SendFailure {
  if (error instanceof UrlRefused) return "refused";
  if (error instanceof NoConnection) return error.cause_;
  if (error instanceof EndlessInterim) return "protocol";
  return String((error as { code?: unknown }).code).startsWith("HPE_") ? "protocol" : "connection";
}

function failed(failure: SendFailure): Outcome {
  return { failure, status: 0, answer: "", retryAfterMs: undefined };
}
