// One way to the edge: in the browser the page's own origin, on the server the process's own connection (or, in
// development, the edge's address) with the visitor's cookie.

import type { Interceptor } from "@connectrpc/connect";
import { createConnectTransport } from "@connectrpc/connect-web";
import { traceparent, watchGestures } from "~/trace/gestures";

export default defineNuxtPlugin(() => {
  const transport = import.meta.server ? serverTransport() : browserTransport();
  return { provide: { transport } };
});

function browserTransport() {
  watchGestures(window);
  const traced: Interceptor = (next) => (request) => {
    request.header.set("traceparent", traceparent());
    return next(request);
  };
  return createConnectTransport({ baseUrl: "/", useBinaryFormat: true, interceptors: [traced] });
}

function serverTransport() {
  const event = useRequestEvent();
  const { edgeFetch } = (event?.node.req ?? {}) as { edgeFetch?: typeof fetch };
  const cookie = event?.headers.get("cookie") ?? "";
  const call = edgeFetch ?? (import.meta.dev ? fetch : nowhere);
  return createConnectTransport({
    // With a connection of its own the host does not matter; the path does.
    baseUrl: edgeFetch ? "http://edge" : String(useRuntimeConfig().edgeUrl),
    useBinaryFormat: true,
    fetch: async (input, init) => {
      const headers = new Headers(init?.headers);
      if (cookie !== "") headers.set("cookie", cookie);
      const answer = await call(input, { ...init, headers });
      // A session that has ended clears its cookie in the browser too.
      for (const line of answer.headers.getSetCookie()) event?.node.res.appendHeader("set-cookie", line);
      return answer;
    },
  });
}

/** A page that tells of an error is made anew, apart from the request; the cookie must not go to whoever is at a default. */
async function nowhere(): Promise<never> {
  throw new TypeError("There is no way to the edge.");
}
