// The routes that say what and how the edge is.

import { RateClass } from "@docket/contracts/gen/docket/policy/v1/policy_pb.ts";
import type { Gate } from "../guard/gate.ts";
import type { KeySetCache } from "./key_set.ts";
import type { ReadinessProbe } from "./readiness.ts";
import { type Route, sendJson, sendText } from "./router.ts";

export interface Build {
  readonly version: string;
  /** The commit or build that this is of. */
  readonly build: string;
}

export interface PagesOptions {
  readonly readiness: ReadinessProbe;
  readonly keys: KeySetCache;
  readonly gate: Gate;
  readonly build: Build;
  readonly publicUrl: string;
  /** Whether there is a portal: it has the front page, and pages for the links in mails. */
  readonly portal: boolean;
}

export function pages({ readiness, keys, gate, build, publicUrl, portal }: PagesOptions): Route[] {
  return [
    both("page", portal ? /^\/api$/ : /^\/(api)?$/, async (exchange) =>
      sendText(exchange, "text/plain; charset=utf-8", apiPage(publicUrl, build)),
    ),
    ...(portal ? [] : linkPages(publicUrl)),
    // Probes are not limited: a busy edge is alive all the same.
    both("healthz", /^\/healthz$/, async (exchange) => sendJson(exchange, { status: "alive" })),
    both("readyz", /^\/readyz$/, async (exchange) => {
      const { ready, ...parts } = await readiness.check();
      sendJson(exchange, { status: ready ? "ready" : "not ready", ...parts }, ready ? 200 : 503);
    }),
    both("version", /^\/version$/, async (exchange) =>
      sendJson(exchange, { version: build.version, build: build.build }),
    ),
    both("jwks", /^\/\.well-known\/jwks\.json$/, async (exchange) => {
      await gate.admit(exchange, { costClass: RateClass.READ, anonymous: true, kind: "unary" });
      const { json, maxAge } = await keys.get(exchange.requestId);
      exchange.response.setHeader("cache-control", `public, max-age=${maxAge}`);
      sendText(exchange, "application/jwk-set+json", json);
    }),
  ];
}

/** What the links in mails lead to, where no portal has a page for each: which call takes their secret. */
const links = [
  {
    path: "invitations",
    method: "WorkspaceService/AcceptInvitation",
    body: (secret: string) => ({ secret }),
    says: "You are invited to a workspace. Signed in, accept it with the call below; without an account give the secret to SignUp as invitationSecret.",
    signedIn: true,
  },
  {
    path: "reset-password",
    method: "SessionService/ResetPassword",
    body: (secret: string) => ({ secret, newPassword: "…" }),
    says: "Set a new password with:",
    signedIn: false,
  },
  {
    path: "confirm",
    method: "SessionService/ConfirmSignUp",
    body: (secret: string) => ({ secret, password: "…" }),
    says: "Confirm your account, with the password that you chose:",
    signedIn: false,
  },
];

function linkPages(publicUrl: string): Route[] {
  return links.map(({ path, method, body, says, signedIn }) => {
    const pattern = new RegExp(`^/${path}/(?<secret>[A-Za-z0-9_-]{1,128})$`);
    return both("link", pattern, async (exchange, { secret = "" }) => {
      exchange.response.setHeader("cache-control", "no-store");
      const session = signedIn ? " -H 'authorization: Bearer <session>'" : "";
      const call = `curl -H 'content-type: application/json'${session} -d '${JSON.stringify(body(secret))}' ${publicUrl}/docket.user.v1.${method}`;
      return sendText(exchange, "text/plain; charset=utf-8", `${says}\n\n  ${call}\n`);
    });
  });
}

function both(name: string, path: RegExp, handler: Route["methods"][string]): Route {
  return { name, path, methods: { GET: handler, HEAD: handler } };
}

function apiPage(publicUrl: string, { version, build }: Build): string {
  return `Docket ${version} (${build})

The API is here: ${publicUrl}
  Connect, gRPC-Web and gRPC   POST /<package.Service>/<Method>, for example:
    curl -H 'content-type: application/json' -d '{}' ${publicUrl}/docket.user.v1.SessionService/GetSignInOptions
    grpcurl ${publicUrl.startsWith("https:") ? "" : "-plaintext "}${publicUrl.replace(/^https?:\/\//, "")} list
  Uploads                      ${publicUrl}/files/uploads (tus 1.0)
  Downloads                    ${publicUrl}/files/documents/<document id>[/versions/<number>]
  Health                       /healthz  /readyz  /version
  Keys of tokens               /.well-known/jwks.json
`;
}
