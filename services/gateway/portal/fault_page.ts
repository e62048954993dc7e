// What a person sees when a page cannot be had: a sentence, what to do, and the request's id. It stands alone, since the
// portal that would style it may be away.

import { createHash } from "node:crypto";
import { Reason } from "@docket/contracts/gen/docket/error/v1/reason_pb.ts";
import { type Exchange, headerOf } from "../http/exchange.ts";
import { problemOf, sendProblem } from "../http/problem.ts";

/** Answers with a page where one is looked for, and like every other route otherwise. */
export function sendFault(exchange: Exchange, error: unknown): void {
  const { response } = exchange;
  const problem = problemOf(error, exchange.requestId);
  const away = problem.reason === Reason.UNAVAILABLE || problem.reason === Reason.OVERLOADED;
  const extra: Record<string, string> = problem.retryAfter === undefined && away ? { "retry-after": "5" } : {};
  if (response.headersSent || !wantsPage(exchange)) {
    sendProblem(exchange, error, undefined, extra);
    return;
  }
  const body = Buffer.from(page(problem.reason, problem.message, exchange.requestId));
  sendProblem(exchange, error, undefined, extra, { type: "text/html; charset=utf-8", body, policy });
}

/** Whether a person looks for a page, and not a program for a file. */
export function wantsPage({ request }: Exchange): boolean {
  return /(^|,)\s*text\/html\b/i.test(headerOf(request.headers, "accept") ?? "");
}

const style = `
:root { color-scheme: light dark; }
body { font: 16px/1.5 system-ui, sans-serif; margin: 0; min-height: 100vh; display: grid; place-items: center; }
main { max-width: 26rem; padding: 2rem; }
h1 { font-size: 1.25rem; margin: 0 0 .5rem; }
p { margin: 0 0 1rem; }
small { opacity: .75; overflow-wrap: anywhere; }`;

/** Nothing but this page's own style. */
const policy = `default-src 'none'; style-src 'sha256-${createHash("sha256").update(style).digest("base64")}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`;

const texts = new Map<Reason, readonly [title: string, text: string]>([
  [
    Reason.UNAVAILABLE,
    ["Docket is not ready yet", "Its pages are being started, or take long to answer. Nothing is lost."],
  ],
  [Reason.OVERLOADED, ["Docket is very busy", "It takes no more requests for the moment. Nothing is lost."]],
  [Reason.RATE_LIMITED, ["Too many requests", "More pages were asked for than one client may have. Wait a little."]],
]);

function page(reason: Reason, message: string, requestId: string): string {
  const [title, text] = texts.get(reason) ?? ["This page cannot be shown", message];
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escaped(title)}</title>
<style>${style}</style>
</head>
<body>
<main>
<h1>${escaped(title)}</h1>
<p>${escaped(text)}</p>
<p><a href="">Try again</a></p>
<p><small>Request ${escaped(requestId)}</small></p>
</main>
</body>
</html>
`;
}

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
