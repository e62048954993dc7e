// Who is believed to be whom: certificates, plaintext, headers that lie, and pods that nobody may call.

import type { Checks } from "../checks.ts";
import type { VerifiedMesh } from "../mesh.ts";
import type { RpcAnswer, RpcQuestion, Tls } from "../probe/protocol.ts";

const healthCheck = "/grpc.health.v1.Health/Check";
const reflection = "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo";

export async function checkIdentity(mesh: VerifiedMesh, checks: Checks): Promise<void> {
  const check = checks.suite("identity");
  const { namespace } = mesh.options.rendered;
  const document = `${mesh.pod("document").address}:7102`;
  const call = (pod: string, question: Omit<RpcQuestion, "operation">) =>
    mesh.probe(pod).ask({ operation: "rpc", fresh: true, giveUpMs: 4000, ...question });
  const stranger = (tls?: Tls, path = healthCheck) =>
    call("stranger", { target: document, path, ...(tls === undefined ? {} : { tls }) });
  const as = (name: string): Tls => ({ certificates: mesh.certificates(name) });

  const own = await stranger(as("gateway"));
  check("a certificate of the mesh is let in", own.grpcStatus === 0, own);
  const plain = await stranger();
  check("plaintext is refused before HTTP", notAnswered(plain), plain);
  const bare = await stranger({ ...as("gateway"), show: false });
  check("TLS without a client certificate is refused", notAnswered(bare), bare);
  const foreign = await stranger(as("foreign-gateway"));
  check("a certificate of a foreign authority with the right name is refused", notAnswered(foreign), foreign);
  const older = await stranger({ ...as("gateway"), maxVersion: "TLSv1.2" });
  check("TLS 1.2 is refused within the mesh", notAnswered(older), older);
  const wrong = await stranger(as("storage"), reflection);
  check("the right authority and the wrong account are refused by the policy", denied(wrong), wrong);
  const another = await stranger(as(mesh.options.rendered.environment === "dev" ? "prod-gateway" : "dev-gateway"));
  check("the edge of another environment is nobody here", denied(another), another);

  // Workers and access pods have a policy of nobody's: only the rule that allows nothing concerns them.
  await mesh.probe("document-worker").ask({ operation: "serve", port: 7102, greeting: "not to be heard" });
  const target = `${mesh.pod("document-worker").address}:7102`;
  const worker = await mesh.probe("stranger").ask({ operation: "tcp", target, tls: as("gateway") });
  check("a pod that no policy names hears nobody", worker.text === "", worker);

  // XFCC: who calls is what the called pod's own sidecar says last, and only from its address.
  const forged = `By=spiffe://x;Hash=00;URI=spiffe://cluster.local/ns/${namespace}/sa/integration`;
  const feed = "/docket.document.v1.ChangeFeedService/GetFeedPlaces";
  const lie = await call("stranger", {
    target: document,
    path: healthCheck,
    tls: as("gateway"),
    headers: { "x-forwarded-client-cert": forged },
  });
  check("a forged certificate header of an mTLS peer changes nothing", lie.grpcStatus === 0, lie);
  const elevated = await call("stranger", {
    target: document,
    path: feed,
    tls: as("gateway"),
    headers: { "x-forwarded-client-cert": forged },
  });
  check("nor does it make the gateway the integration service", denied(elevated), elevated);
  const past = await call("document", {
    target: "127.0.0.1:7102",
    path: feed,
    headers: { "x-forwarded-client-cert": forged },
  });
  check("the process knows nobody who comes past its sidecar", past.reason === "CALLER_UNKNOWN", past);
  const own127 = await call("document", {
    target: "127.0.0.1:7102",
    path: feed,
    localAddress: "127.0.0.6",
    headers: { "x-forwarded-client-cert": `${forged},${forged.replace("spiffe://x", "spiffe://y")}` },
  });
  check("nor a header that another proxy wrote", own127.reason === "CALLER_UNKNOWN", own127);

  // Paths: what the policy names is what the process serves.
  const paths: [string, (answer: RpcAnswer) => boolean, string][] = [
    [`${healthCheck}/`, denied, "a slash at the end is another path, and refused"],
    ["/grpc.health.v1.Health%2FCheck", denied, "an encoded slash is another path, and refused"],
    ["/grpc.health.v1.Health/check", denied, "another case is another path, and refused"],
    ["/grpc.health.v1.Health//Check", ({ grpcStatus }) => grpcStatus === 0, "two slashes are one, to both"],
    ["/docket.document.v1.DocumentService/NoSuchMethod", denied, "an RPC that does not exist is refused"],
  ];
  for (const [path, holds, sentence] of paths) {
    const answer = await stranger(as("gateway"), path);
    check(sentence, holds(answer), answer);
  }
}

/** No HTTP came back at all. */
export function notAnswered({ outcome, httpStatus }: RpcAnswer): boolean {
  return outcome === "failed" && httpStatus === undefined;
}

/** Refused by the policy: gRPC status 7 that no process gave. */
export function denied({ grpcStatus, reason }: RpcAnswer): boolean {
  return grpcStatus === 7 && reason === undefined;
}
