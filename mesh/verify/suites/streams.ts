// Streams live as long as the contract lets them, through every proxy on the way: longer than any deadline of a unary call.

import { deadlineMsOf } from "@docket/contracts/policy";
import { rpcs } from "@docket/contracts/registry";
import type { Checks } from "../checks.ts";
import type { VerifiedMesh } from "../mesh.ts";
import type { Subjects, Tokens } from "../subjects.ts";

/** A little longer than the longest deadline of any call. */
export const streamMs =
  1500 + Math.max(...rpcs.map(({ method }) => (method.methodKind === "unary" ? deadlineMsOf(method) : 0)));

/** Opens streams of each kind, in the mesh and from outside; the promise settles when they have lived long enough. */
export async function checkStreams(
  mesh: VerifiedMesh,
  checks: Checks,
  subjects: Subjects,
  tokens: Tokens,
): Promise<void> {
  const check = checks.suite("streams");
  const { namespace } = mesh.options.rendered;
  const seconds = Math.round(streamMs / 1000);
  const authorization = { authorization: `Bearer ${tokens.person}` };
  const [server, client, outside] = await Promise.all([
    mesh.probe("gateway").ask({
      operation: "rpc",
      fresh: true,
      target: `document.${namespace}.svc.cluster.local:7102`,
      path: "/docket.document.v1.ChangeService/WatchChanges",
      headers: authorization,
      giveUpMs: streamMs,
    }),
    // Held open by its client: reflection answers each question as long as somebody asks.
    mesh.probe("gateway").ask({
      operation: "rpc",
      fresh: true,
      target: `document.${namespace}.svc.cluster.local:7102`,
      path: "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
      // host "", list_services ""
      messages: ["OgA="],
      openMs: streamMs,
      giveUpMs: streamMs + 10_000,
    }),
    mesh.probe("stranger").ask({
      operation: "http",
      url: `https://${mesh.options.domain}/docket.document.v1.ChangeService/WatchChanges`,
      method: "POST",
      headers: {
        "content-type": "application/connect+json",
        authorization: `Bearer ${subjects.sessionSecret}`,
      },
      // An envelope of Connect: flags, four bytes of length, the message.
      body: Buffer.concat([Buffer.from([0, 0, 0, 0, 2]), Buffer.from("{}")]).toString("base64"),
      giveUpMs: streamMs,
      tls: { certificates: mesh.certificates("edge"), show: false },
    }),
  ]);
  check(
    `a server's stream lives ${seconds} s between two sidecars, with its heartbeats`,
    server.outcome === "cancelled" && server.httpStatus === 200 && server.messages > 2,
    server,
  );
  check(
    `a stream that its client holds open ends well after ${seconds} s`,
    client.grpcStatus === 0 && client.messages === 1 && client.durationMs >= streamMs,
    client,
  );
  check(
    `a stream from outside lives ${seconds} s through ingress, edge and mesh`,
    outside.outcome === "cancelled" && outside.status === 200 && (outside.text ?? "").length > 0,
    outside,
  );
}
