// A whole service over mTLS: the chain in its order, each refusal of it, health, and the drain.

import { type Client, Code, ConnectError, createClient } from "@connectrpc/connect";
import { ErrorInfoSchema } from "@docket/contracts/gen/docket/error/v1/error_info_pb.ts";
import { Reason } from "@docket/contracts/gen/docket/error/v1/reason_pb.ts";
import { Permission, Workload } from "@docket/contracts/gen/docket/policy/v1/policy_pb.ts";
import { UploadService } from "@docket/contracts/gen/docket/storage/v1/upload_service_pb.ts";
import { Health, HealthCheckResponse_ServingStatus as Status } from "@docket/contracts/gen/grpc/health/v1/health_pb.ts";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { allowed, denied, hidden } from "./access.ts";
import { callOf, forward, type Subject, subjectOf } from "./call.ts";
import { AppError, reasonOf } from "./errors.ts";
import { links } from "./interceptors/chain.ts";
import type { CallRecord } from "./interceptors/options.ts";
import { createLogger } from "./logger.ts";
import { connectMesh, type Mesh } from "./mesh.ts";
import { implement, LiveStreams, type RunningService, startService } from "./service.ts";
import { eventually } from "./testing/eventually.ts";
import { testIdentity } from "./testing/identities.ts";

const uploadId = "0190b5a0-0000-7000-8000-000000000001";
const records: CallRecord[] = [];
const liveStreams = new LiveStreams();
let service: RunningService;
let mesh: Mesh;
let uploads: Client<typeof UploadService>;
let behaviour: (context: Parameters<typeof callOf>[0]) => Promise<void> = async () => undefined;
let decision = allowed as typeof allowed | typeof denied;

const subjects: Record<string, Subject> = {
  person: { kind: "person", id: "anna", sessionId: "s1", token: "person", expiresAt: Date.now() + 300_000 },
  short: { kind: "person", id: "ben", sessionId: "s2", token: "short", expiresAt: Date.now() - 1 },
  key: {
    kind: "application",
    id: "bot",
    keyId: "k1",
    scopes: [Permission.DOCUMENT_VIEW],
    token: "key",
    expiresAt: Date.now() + 300_000,
  },
};

beforeAll(async () => {
  const unused = async (): Promise<never> => {
    throw new AppError(Reason.UNIMPLEMENTED);
  };
  service = await startService({
    identity: await testIdentity(Workload.STORAGE),
    listen: { host: "127.0.0.1", port: 0 },
    logger: createLogger({ level: "silent" }),
    observe: (record) => records.push(record),
    liveStreams,
    authorizer: { check: async () => decision },
    verifyToken: async (token) => {
      const subject = subjects[token];
      if (subject === undefined) throw new AppError(Reason.SESSION_INVALID);
      return subject;
    },
    services: [
      implement(UploadService, {
        ...Object.fromEntries(UploadService.methods.map(({ localName }) => [localName, unused])),
        async getUpload(_request: unknown, context: Parameters<typeof callOf>[0]) {
          await behaviour(context);
          return { upload: { id: subjectOf(context).id, name: callOf(context).requestId } };
        },
        async *watchUpload(request: { uploadId: string }, context: Parameters<typeof callOf>[0]) {
          while (request.uploadId === floodedId) {
            flooded += 1;
            yield { upload: { name: "x".repeat(500_000) } };
          }
          yield { upload: { id: "first" } };
          await new Promise((resolve) => callOf(context).signal.addEventListener("abort", resolve));
        },
      } as never),
    ],
  });
  mesh = connectMesh({ identity: await testIdentity(Workload.GATEWAY), addresses: { storage: [service.address] } });
  uploads = mesh.client(UploadService);
});

afterAll(async () => {
  await mesh[Symbol.asyncDispose]();
  await service[Symbol.asyncDispose]();
});

function as(token: string) {
  return { headers: { authorization: `Bearer ${token}`, "x-request-id": "request-0001" } };
}

async function failure(call: Promise<unknown>): Promise<ConnectError> {
  return await call.then(
    () => Promise.reject(new Error("the call should have failed")),
    (error) => ConnectError.from(error),
  );
}

const floodedId = "01890000-0000-7000-8000-0000000000ff";
let flooded = 0;

const get = (token: string, id = uploadId) => uploads.getUpload({ uploadId: id }, as(token));

describe("the chain", () => {
  it("runs its links after those that they need", () => {
    const ran = new Set<string>();
    for (const { name, after } of links) {
      for (const needed of after) expect(ran).toContain(needed);
      ran.add(name);
    }
    expect(links[0].name).toBe("telemetry");
  });

  it("lets an allowed call through with its subject and request id, and records it", async () => {
    expect(await get("person")).toMatchObject({ upload: { id: "anna", name: "request-0001" } });
    await eventually(() =>
      expect(records.at(-1)).toMatchObject({
        rpc: "docket.storage.v1.UploadService/GetUpload",
        code: undefined,
        caller: Workload.GATEWAY,
      }),
    );
  });

  it("refuses a workload that the policy does not name, and records the refusal", async () => {
    await using other = connectMesh({
      identity: await testIdentity(Workload.WEB),
      addresses: { storage: [service.address] },
    });
    expect(reasonOf(await failure(other.client(UploadService).getUpload({ uploadId }, as("person"))))).toBe(
      Reason.CALLER_DENIED,
    );
    expect(records.at(-1)).toMatchObject({ refusedBy: "caller", caller: Workload.WEB });
  });

  it("refuses a token that is not sound where none is needed, as a sidecar does", async () => {
    const health = createClient(Health, mesh.transport(UploadService));
    expect(reasonOf(await failure(health.check({}, as("forged"))))).toBe(Reason.SESSION_INVALID);
    expect(await health.check({}, as("person"))).toMatchObject({ status: Status.SERVING });
  });

  it("refuses a peer that shows the server's own identity", async () => {
    await using self = connectMesh({
      identity: await testIdentity(Workload.STORAGE),
      addresses: { storage: [service.address] },
    });
    const error = await failure(self.client(UploadService).getUpload({ uploadId }, as("person")));
    expect([Code.Unauthenticated, Code.Unavailable]).toContain(error.code);
  });

  it("does not talk to a server that is somebody else than the one it expects", async () => {
    await using wrong = connectMesh({
      identity: await testIdentity(Workload.GATEWAY),
      addresses: { storage: [service.address], user: [service.address] },
    });
    const { SessionService } = await import("@docket/contracts/gen/docket/user/v1/session_service_pb.ts");
    expect((await failure(wrong.client(SessionService).getSession({}, { timeoutMs: 1000 }))).code).not.toBe(
      Code.Unimplemented,
    );
  });

  it("demands a token, and a good one", async () => {
    expect(reasonOf(await failure(uploads.getUpload({ uploadId })))).toBe(Reason.SESSION_REQUIRED);
    expect(reasonOf(await failure(get("forged")))).toBe(Reason.SESSION_INVALID);
  });

  it("demands the scope of the permission from a key", async () => {
    expect(reasonOf(await failure(get("key")))).toBe(Reason.KEY_SCOPE_MISSING);
  });

  it("names the field that breaks a rule, before anybody is asked about access", async () => {
    decision = hidden as typeof decision;
    const error = await failure(get("person", "../etc/passwd"));
    decision = allowed;
    expect(error.findDetails(ErrorInfoSchema)[0]).toMatchObject({
      reason: Reason.INVALID_ARGUMENT,
      violations: [{ field: "upload_id" }],
    });
  });

  it("hides what the subject may not see and refuses what it may only see", async () => {
    decision = hidden as typeof decision;
    expect(reasonOf(await failure(get("person")))).toBe(Reason.NOT_FOUND);
    expect(records.at(-1)).toMatchObject({ refusedBy: "permission" });
    decision = denied as typeof decision;
    expect(reasonOf(await failure(get("person")))).toBe(Reason.PERMISSION_DENIED);
    decision = allowed;
  });

  it("answers in time even when the handler hangs, and passes on less time than it has", async () => {
    let left = Number.POSITIVE_INFINITY;
    behaviour = (context) => {
      left = forward(context as never).timeoutMs ?? left;
      return new Promise(() => undefined);
    };
    const error = await failure(uploads.getUpload({ uploadId }, { ...as("person"), timeoutMs: 200 }));
    behaviour = async () => undefined;
    expect(error.code).toBe(Code.DeadlineExceeded);
    expect(left).toBeLessThan(190);
  });

  it("passes on who wants versions on trial to answer, and nothing of it where nobody does", async () => {
    const passed: (string | null)[] = [];
    behaviour = async (context) => {
      passed.push(new Headers(forward(context as never).headers).get("x-docket-preview"));
    };
    await get("person");
    const { headers } = as("person");
    await uploads.getUpload({ uploadId }, { headers: { ...headers, "x-docket-preview": "1" } });
    behaviour = async () => undefined;
    expect(passed).toEqual([null, "1"]);
  });

  it("gives every error the id of its request", async () => {
    expect((await failure(get("forged"))).findDetails(ErrorInfoSchema)[0]?.requestId).toBe("request-0001");
  });
});

describe("a stream", () => {
  async function ending(token: string, meanwhile: () => void): Promise<ConnectError> {
    return await failure(
      (async () => {
        for await (const _ of uploads.watchUpload({ uploadId }, as(token))) meanwhile();
      })(),
    );
  }

  it("ends at once when its session is revoked", async () => {
    const error = await ending("person", () => liveStreams.revoke(({ sessionId }) => sessionId === "s1"));
    expect(reasonOf(error)).toBe(Reason.SESSION_INVALID);
    expect(liveStreams.size).toBe(0);
  });

  it("ends on the server too when its reader has stopped reading", async () => {
    const stop = new AbortController();
    const request = { uploadId: floodedId };
    const reading = uploads.watchUpload(request, { ...as("person"), signal: stop.signal })[Symbol.asyncIterator]();
    await reading.next();
    let before = -1;
    const isStuck = () => {
      const stuck = flooded === before;
      before = flooded;
      return stuck;
    };
    await eventually(isStuck, { intervalMs: 100 });
    liveStreams.revoke(({ sessionId }) => sessionId === "s1");
    await eventually(() => expect(liveStreams.size).toBe(0));
    stop.abort();
    await reading.next().catch(() => undefined);
  });

  it("ends with the token it was opened with, and may be resumed", async () => {
    expect(reasonOf(await ending("short", () => undefined))).toBe(Reason.RESUME);
  });
});

describe("a drain", () => {
  it("says NOT_SERVING first, ends streams with RESUME and lets calls in flight finish", async () => {
    const draining = await startService({
      identity: await testIdentity(Workload.STORAGE),
      listen: { host: "127.0.0.1", port: 0 },
      logger: createLogger({ level: "silent" }),
      authorizer: { check: async () => allowed },
      verifyToken: async () => subjects.person as Subject,
      services: [
        implement(UploadService, {
          ...Object.fromEntries(UploadService.methods.map(({ localName }) => [localName, () => undefined])),
          async getUpload() {
            started.resolve();
            await release.promise;
            return { upload: { id: "done" } };
          },
          async *watchUpload(_request: unknown, context: Parameters<typeof callOf>[0]) {
            yield { upload: { id: "first" } };
            await new Promise((resolve) => callOf(context).signal.addEventListener("abort", resolve));
          },
        } as never),
      ],
    });
    const started = Promise.withResolvers<void>();
    const release = Promise.withResolvers<void>();
    await using client = connectMesh({
      identity: await testIdentity(Workload.GATEWAY),
      addresses: { storage: [draining.address] },
    });
    const health = client.transport(UploadService);
    const statuses: Status[] = [];
    const watching = (async () => {
      for await (const { status } of createClient(Health, health).watch({ service: "" })) statuses.push(status);
    })().catch(() => undefined);
    const streams = client.client(UploadService);
    const stream = streams.watchUpload({ uploadId }, as("person"))[Symbol.asyncIterator]();
    await stream.next();
    const unary = streams.getUpload({ uploadId }, as("person"));
    await started.promise;
    await eventually(() => expect(statuses).toEqual([Status.SERVING]));
    const stopped = draining[Symbol.asyncDispose]();
    await eventually(() => expect(statuses).toEqual([Status.SERVING, Status.NOT_SERVING]));
    expect(reasonOf(await failure(stream.next()))).toBe(Reason.RESUME);
    release.resolve();
    expect(await unary).toMatchObject({ upload: { id: "done" } });
    await client[Symbol.asyncDispose]();
    await stopped;
    await watching;
  });
});
