// One HTTP/1.1 request, as a browser or an uploading client makes it.

import { request as requestHttp } from "node:http";
import { Readable } from "node:stream";
import type { HttpAnswer, HttpQuestion } from "./protocol.ts";
import { open } from "./tcp.ts";

const shownBytes = 16_384;

export function fetchHttp(question: HttpQuestion): Promise<HttpAnswer> {
  const { url, method = "GET", headers = {}, body, giveUpMs = 20_000 } = question;
  const started = performance.now();
  const { hostname, host, port, protocol, pathname, search } = new URL(url);
  const secure = protocol === "https:";
  const target = question.connectTo ?? `${hostname}:${port || (secure ? 443 : 80)}`;
  const tls = secure && question.tls ? { ...question.tls, serverName: question.tls.serverName ?? hostname } : undefined;
  const size = typeof body === "number" ? body : Buffer.from(body ?? "", "base64").length;
  return new Promise((resolve) => {
    const end = (answer: Omit<HttpAnswer, "durationMs">) => {
      clearTimeout(timer);
      resolve({ ...answer, durationMs: performance.now() - started });
    };
    const request = requestHttp({
      method,
      path: pathname + search,
      headers: { host, ...(body === undefined ? {} : { "content-length": String(size) }), ...headers },
      createConnection: () => open(target, { tls, alpn: ["http/1.1"] }),
    });
    let text = "";
    let status: number | undefined;
    const timer = setTimeout(() => {
      end({ outcome: "cancelled", ...(status === undefined ? {} : { status, text }) });
      request.destroy();
    }, giveUpMs);
    request.on("error", (error) => end({ outcome: "failed", error: error.message }));
    request.on("response", (response) => {
      status = response.statusCode;
      response.on("data", (chunk) => {
        if (text.length < shownBytes) text += chunk;
      });
      response.on("error", (error) => end({ outcome: "failed", error: error.message }));
      response.on("end", () =>
        end({
          outcome: "answered",
          status: response.statusCode ?? 0,
          headers: Object.fromEntries(Object.entries(response.headers).map(([name, value]) => [name, String(value)])),
          text: text.slice(0, shownBytes),
        }),
      );
    });
    if (typeof body === "number") zeros(body).pipe(request);
    else request.end(body === undefined ? undefined : Buffer.from(body, "base64"));
  });
}

function zeros(bytes: number): Readable {
  const piece = Buffer.alloc(65_536);
  return Readable.from(
    (function* () {
      for (let left = bytes; left > 0; left -= piece.length)
        yield left < piece.length ? piece.subarray(0, left) : piece;
    })(),
  );
}
