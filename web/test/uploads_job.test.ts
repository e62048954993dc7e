// @vitest-environment happy-dom
import { Code, ConnectError } from "@connectrpc/connect";
import { UploadState } from "@docket/contracts/gen/docket/storage/v1/upload_pb.ts";
import { afterEach, describe, expect, it } from "vitest";
import { createWaits } from "../app/uploads/backoff.ts";
import { createFolders } from "../app/uploads/folders.ts";
import { type AttachCall, type Job, type JobWorld, runJob } from "../app/uploads/job.ts";
import { jobOfFile } from "../app/uploads/making.ts";
import { createSlots } from "../app/uploads/slots.ts";
import { Stopped, UploadFault } from "../app/uploads/trouble.ts";
import { type TusServer, tusServer } from "./tus_server.ts";

const mebibyte = 1024 * 1024;

/** A file of this many bytes, each of which says where it is. */
function fileOf(size: number, name = "plan.pdf"): File {
  const bytes = new Uint8Array(size);
  for (let at = 0; at < size; at += 1) bytes[at] = at % 251;
  return new File([bytes], name, { type: "application/pdf", lastModified: 1 });
}

interface Setting {
  readonly tus: TusServer;
  readonly attached: AttachCall[];
  readonly versions: string[];
  readonly saved: Job[];
  owner: string;
  /** What the next calls that attach answer, before they go well. */
  readonly refusals: Error[];
  run(file: File, more?: { documentId?: string; signal?: AbortSignal; job?: Job }): Promise<Job>;
}

function setting(): Setting {
  const tus = tusServer();
  let ids = 0;
  const newId = () => {
    ids += 1;
    return `id-${ids}`;
  };
  const attach = async (call: AttachCall, documentId: string) => {
    const refusal = made.refusals.shift();
    made.attached.push(call);
    if (refusal !== undefined) throw refusal;
    return { documentId, versionNumber: 1 };
  };
  const waits = createWaits();
  const world: JobWorld = {
    calls: {
      newId,
      getUpload: async (id) => ({ ...tus.describe(id), state: UploadState.STORED }) as never,
      checkRoom: async () => undefined,
      completeUpload: async () => undefined,
      createDocument: (call) => attach(call, "new document"),
      createVersion: (documentId, call) => {
        made.versions.push(documentId);
        return attach(call, documentId);
      },
    },
    folders: createFolders({ newId, list: async () => [], create: async (_, name) => ({ id: `folder ${name}` }) }),
    slots: createSlots(3),
    hash: async () => "",
    // Nobody waits here: what is tried again is tried at once.
    waits: { ...waits, wait: (_, signal) => waits.wait(0, signal) },
    connectionSpeed: () => 0,
    sentBody: () => undefined,
    save: (job) => void made.saved.push(job),
    isOwner: async (userId) => userId === made.owner,
  };
  const made: Setting = {
    tus,
    attached: [],
    versions: [],
    saved: [],
    owner: "anna",
    refusals: [],
    async run(file, { documentId, signal = new AbortController().signal, job } = {}) {
      const target = { workspaceId: "workspace", documentId };
      const making = { userId: "anna", tab: "tab", target, newId, nextOrder: () => 1 };
      const running = job ?? jobOfFile({ file, path: ["Plans"] }, making);
      await runJob(running, world, signal);
      return running;
    },
  };
  return made;
}

describe("an upload", () => {
  const settings: Setting[] = [];
  const begin = () => {
    const made = setting();
    settings.push(made);
    return made;
  };
  afterEach(() => {
    for (const { tus } of settings.splice(0)) tus.close();
  });

  it("of a small file is one request, and a document in its folder", async () => {
    const { tus, attached, run } = begin();
    const { item } = await run(fileOf(1000));
    expect(tus.log).toEqual(["POST"]);
    expect(attached).toMatchObject([{ folderId: "folder Plans", uploadId: "u1" }]);
    expect(item).toMatchObject({ state: "done", documentId: "new document" });
    expect(tus.bytesOf("u1")).toBe(1000);
  });

  it("of an empty file works as well", async () => {
    const { tus, run } = begin();
    expect((await run(fileOf(0))).item.state).toBe("done");
    expect(tus.bytesOf("u1")).toBe(0);
  });

  it("of a large file goes up in three parts, which are joined in their order", async () => {
    const { tus, run } = begin();
    const { item } = await run(fileOf(40 * mebibyte));
    expect(tus.joined).toEqual([["u1", "u2", "u3"]]);
    expect(tus.bytesOf("u4")).toBe(40 * mebibyte);
    expect(tus.isWhole("u4")).toBe(true);
    expect(item.state).toBe("done");
  });

  it("becomes a version of a document where that is what it is for", async () => {
    const { versions, run } = begin();
    await run(fileOf(10), { documentId: "document" });
    expect(versions).toEqual(["document"]);
  });

  it("asks where it stands after the connection was cut, and sends only the rest", async () => {
    const { tus, run } = begin();
    tus.cutNext("PATCH", 2);
    await run(fileOf(20 * mebibyte));
    expect(tus.log.filter((method) => method === "HEAD").length).toBeGreaterThan(0);
    expect(tus.isWhole("u1")).toBe(true);
    expect(tus.bytesOf("u1")).toBe(20 * mebibyte);
    // Nothing but what was under way when the line broke was sent twice.
    expect(tus.received).toBeLessThanOrEqual(28 * mebibyte);
  });

  it("begins anew when the server has forgotten it", async () => {
    const { tus, run } = begin();
    tus.forgetBeforeNext("PATCH");
    const { item } = await run(fileOf(10 * mebibyte));
    expect(item.state).toBe("done");
    expect(tus.isWhole("u2")).toBe(true);
  });

  it("does not begin anew for somebody else who has signed in meanwhile", async () => {
    const setting = begin();
    setting.owner = "ben";
    setting.tus.forgetBeforeNext("PATCH");
    const running = setting.run(fileOf(10 * mebibyte));
    await expect(running).rejects.toMatchObject({ trouble: { reason: "SESSION_INVALID" } });
  });

  it("takes the upload that its parts went into when the answer was lost", async () => {
    const { tus, attached, run } = begin();
    tus.loseNextJoin();
    await run(fileOf(40 * mebibyte));
    expect(tus.joined).toHaveLength(1);
    expect(attached).toMatchObject([{ uploadId: "u4" }]);
  });

  it("repeats the call that makes the document with the same request", async () => {
    const { attached, refusals, run } = begin();
    refusals.push(new ConnectError("failed to fetch", Code.Unavailable), new ConnectError("…", Code.Unavailable));
    await run(fileOf(10));
    expect(attached).toHaveLength(3);
    expect(new Set(attached.map(({ requestId }) => requestId)).size).toBe(1);
  });

  it("waits through 429 and 503, and fails for good without room", async () => {
    const { tus, run } = begin();
    tus.refuseNext("POST", 429, "RATE_LIMITED");
    tus.refuseNext("POST", 503, "UNAVAILABLE");
    expect((await run(fileOf(10))).item.state).toBe("done");
    tus.refuseNext("POST", 413, "QUOTA_EXCEEDED");
    await expect(run(fileOf(10))).rejects.toMatchObject({ trouble: { reason: "QUOTA_EXCEEDED" } });
  });

  it("tells of a session that has ended at once", async () => {
    const { tus, run } = begin();
    tus.refuseNext("PATCH", 401, "SESSION_INVALID");
    await expect(run(fileOf(10 * mebibyte))).rejects.toBeInstanceOf(UploadFault);
    expect(tus.log).toEqual(["POST", "PATCH"]);
  });

  it("that is stopped goes on later from where it was", async () => {
    const { tus, run } = begin();
    const control = new AbortController();
    tus.before("PATCH", 2, () => control.abort(new Stopped()));
    const file = fileOf(20 * mebibyte);
    const target = { workspaceId: "workspace" };
    const job = jobOfFile(
      { file, path: [] },
      { userId: "anna", tab: "t", target, newId: () => "r", nextOrder: () => 1 },
    );
    await expect(run(file, { signal: control.signal, job })).rejects.toBeInstanceOf(Stopped);
    const sentBefore = tus.bytesOf("u1");
    expect(sentBefore).toBeGreaterThan(0);
    await run(file, { job });
    expect(tus.isWhole("u1")).toBe(true);
    expect(job.item.state).toBe("done");
  });
});
