// A person and an application that exist, made through the edge as anybody makes them, and tokens for both in every state that the
// mesh must tell apart.

import { createPrivateKey, generateKeyPairSync, type KeyObject } from "node:crypto";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { PermissionSchema } from "@docket/contracts/gen/docket/policy/v1/policy_pb.ts";
import { keyScopes } from "@docket/contracts/policy";
import { signToken, type TokenContent, tokenAlgorithm, tokenIssuer, tokenType } from "@docket/runtime/token_claims";
import { createSealer } from "@docket/runtime/vault";
import { eventually } from "@docket/runtime/testing/eventually";
import { SignJWT } from "jose";
import type { TokenState } from "../src/cells.ts";
import { keyEncryptionSecret, type VerifiedMesh } from "./mesh.ts";

/** A token for each state, and none for `none`. */
export type Tokens = Readonly<Record<TokenState, string | undefined>>;

/** Who is behind the tokens. */
export interface Subjects {
  readonly sessionSecret: string;
  readonly workspaceId: string;
  readonly person: TokenContent;
  readonly application: TokenContent;
}

/** Longer than any run of the verification, and shorter than what a verifier believes. */
const lifeMs = 45 * 60_000;

/** One call of an RPC at the edge's public address, over Connect with JSON. Throws when it is refused. */
export async function callEdge(mesh: VerifiedMesh, rpc: string, message: object, secret?: string): Promise<Edge> {
  const answer = await mesh.probe("stranger").ask({
    operation: "http",
    url: `https://${mesh.options.domain}/${rpc}`,
    method: "POST",
    headers: {
      "content-type": "application/json",
      ...(secret === undefined ? {} : { authorization: `Bearer ${secret}` }),
    },
    body: Buffer.from(JSON.stringify(message)).toString("base64"),
    tls: { certificates: mesh.certificates("edge"), show: false },
  });
  if (answer.status !== 200) throw new Error(`${rpc} at the edge: ${JSON.stringify(answer)}`);
  return JSON.parse(answer.text ?? "") as Edge;
}

// biome-ignore lint/suspicious/noExplicitAny: JSON of any RPC.
type Edge = any;

/** Waits until the edge serves and istiod has fetched the keys that it serves, through the ingress as in a cluster. */
export async function servesWithKeys(mesh: VerifiedMesh): Promise<void> {
  const edge = { certificates: mesh.certificates("edge"), show: false };
  const url = `https://${mesh.options.domain}/readyz`;
  await eventually(
    async () => (await mesh.probe("stranger").ask({ operation: "http", url, tls: edge })).status === 200,
    { timeoutMs: 120_000, intervalMs: 200 },
  );
  await mesh.apply(mesh.cluster.istio);
  const nobody = "00000000-0000-4000-8000-000000000000";
  const person: TokenContent = { kind: "person", id: nobody, sessionId: nobody, expiresAt: Date.now() + lifeMs };
  const token = await signToken(person, newestKey(mesh), Date.now());
  const { namespace } = mesh.options.rendered;
  // Connections that were opened before go on by the rules of before: until each has seen that a foreign token is refused.
  const forged = await signToken(person, forgerOf(newestKey(mesh)), Date.now());
  const path = "/grpc.health.v1.Health/Check";
  for (const [pod, workload, port] of callsWithTokens) {
    const target = `${workload}.${namespace}.svc.cluster.local:${port}`;
    const isRefusedByProxy = async (secret: string) => {
      const headers = { authorization: `Bearer ${secret}` };
      const { grpcStatus, reason } = await mesh.probe(pod).ask({ operation: "rpc", target, path, headers });
      return grpcStatus === 16 && reason === undefined;
    };
    let inARow = 0;
    await eventually(
      async () => {
        // The process itself may say that it knows no such person.
        const holds = (await isRefusedByProxy(forged)) && !(await isRefusedByProxy(token));
        inARow = holds ? inARow + 1 : 0;
        return inARow === 5;
      },
      { timeoutMs: 90_000, intervalMs: 20 },
    );
  }
}

/** Who calls whom on behalf of somebody. */
const callsWithTokens = [
  ["gateway", "user", 7101],
  ["gateway", "document", 7102],
  ["gateway", "storage", 7103],
  ["gateway", "integration", 7104],
  ["document", "user", 7101],
  ["document", "storage", 7103],
  ["storage", "user", 7101],
  ["integration", "user", 7101],
  ["integration", "document", 7102],
  ["operator", "user", 7101],
] as const;

/** Signs up a person, and enrols an application with a key of all scopes. */
export async function makeSubjects(mesh: VerifiedMesh): Promise<Subjects> {
  const name = `person-${Date.now()}`;
  const { sessionSecret, user, session } = await callEdge(mesh, "docket.user.v1.SessionService/SignUp", {
    email: `${name}@example.com`,
    password: "correct horse battery",
    displayName: "Anna",
  });
  const call = (rpc: string, message: object) => callEdge(mesh, rpc, message, sessionSecret);
  const { workspace } = await call("docket.user.v1.WorkspaceService/CreateWorkspace", { name: "Harbour Works" });
  const workspaceId: string = workspace.id;
  const keys = "docket.user.v1.ApiKeyService";
  const { application } = await call(`${keys}/EnrollApplication`, { workspaceId, name: "Probe" });
  const scopes = keyScopes.map((scope) => PermissionSchema.value[scope]?.name);
  const { key } = await call(`${keys}/CreateApiKey`, {
    workspaceId,
    applicationId: application.id,
    name: "all",
    scopes,
  });
  const expiresAt = Date.now() + lifeMs;
  return {
    sessionSecret,
    workspaceId,
    person: { kind: "person", id: user.id, sessionId: session.id, expiresAt },
    application: {
      kind: "application",
      id: application.id,
      keyId: key.id,
      workspaceId,
      scopes: keyScopes,
      expiresAt,
    },
  };
}

/** Signs tokens with the user service's newest key, read out of its database; forged ones with another. */
export async function signTokens(mesh: VerifiedMesh, { person, application }: Subjects): Promise<Tokens> {
  const signer = newestKey(mesh);
  const forger = forgerOf(signer);
  const now = Date.now();
  const seconds = (time: number) => Math.floor(time / 1000);
  return {
    none: undefined,
    person: await signToken(person, signer, now),
    key: await signToken(application, signer, now),
    expired: await signToken({ ...person, expiresAt: now - lifeMs }, signer, now - 2 * lifeMs),
    forged: await signToken(person, forger, now),
    "wrong-audience": await new SignJWT({ kind: "person", sub: person.id, sid: person.sessionId })
      .setProtectedHeader({ alg: tokenAlgorithm, typ: tokenType, kid: signer.keyId })
      .setIssuer(tokenIssuer)
      .setAudience("elsewhere")
      .setIssuedAt(seconds(now))
      .setExpirationTime(seconds(now + lifeMs))
      .sign(signer.key),
  };
}

interface Signer {
  readonly keyId: string;
  readonly key: KeyObject;
}

/** Somebody with the right key's name and another key. */
function forgerOf(signer: Signer): Signer {
  return { ...signer, key: generateKeyPairSync("ed25519").privateKey };
}

function newestKey(mesh: VerifiedMesh): Signer {
  const open = new DatabaseSync(join(mesh.folder, "data", "user", "user.db"), { readOnly: true });
  try {
    const row = open.prepare("SELECT id, private_encrypted FROM signing_key ORDER BY signs_from LIMIT 1").get() as
      | { id: string; private_encrypted: Uint8Array }
      | undefined;
    const plain = row && createSealer(keyEncryptionSecret, "user").open(row.private_encrypted);
    if (row === undefined || plain === undefined) throw new Error("The user service has no signing key to be read.");
    return { keyId: row.id, key: createPrivateKey({ key: Buffer.from(plain), format: "der", type: "pkcs8" }) };
  } finally {
    open.close();
  }
}
