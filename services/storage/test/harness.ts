// A storage service for tests: real gRPC, database and files; the user service is played here.

import { createHash, generateKeyPairSync, randomBytes } from "node:crypto";
import type { MessageInitShape } from "@bufbuild/protobuf";
import { type CallOptions, type Client, ConnectError } from "@connectrpc/connect";
import { ErrorInfoSchema } from "@docket/contracts/gen/docket/error/v1/error_info_pb.ts";
import { ReasonSchema } from "@docket/contracts/gen/docket/error/v1/reason_pb.ts";
import { Permission, Workload } from "@docket/contracts/gen/docket/policy/v1/policy_pb.ts";
import { BlobService } from "@docket/contracts/gen/docket/storage/v1/blob_service_pb.ts";
import {
  TransferService,
  type WriteBlobRequestSchema,
  type WriteBlobStartSchema,
} from "@docket/contracts/gen/docket/storage/v1/transfer_service_pb.ts";
import type { Upload, UploadState } from "@docket/contracts/gen/docket/storage/v1/upload_pb.ts";
import {
  type CreateUploadRequestSchema,
  UploadService,
} from "@docket/contracts/gen/docket/storage/v1/upload_service_pb.ts";
import { UsageService } from "@docket/contracts/gen/docket/storage/v1/usage_service_pb.ts";
import type { UserChange } from "@docket/contracts/gen/docket/user/v1/user_change_pb.ts";
import { headerNames } from "@docket/runtime/call";
import { newId } from "@docket/runtime/ids";
import { connectMesh } from "@docket/runtime/mesh";
import { testIdentity } from "@docket/runtime/testing/identities";
import { type CapturedLog, captureLog } from "@docket/runtime/testing/log";
import { temporaryFolder } from "@docket/runtime/testing/temporary_folder";
import { testParts } from "@docket/runtime/testing/test_parts";
import { signToken } from "@docket/runtime/token";
import type { Clients } from "../clients.ts";
import { readConfig } from "../config.ts";
import { type RunningStorage, startStorageService } from "../service.ts";
import { openTestPlace, type TestPlace } from "./places.ts";

const keys = generateKeyPairSync("ed25519");
const publicKey = { id: "test-key", x: String(keys.publicKey.export({ format: "jwk" }).x) };

/** Somebody who may be signed in. */
export interface Somebody {
  readonly id: string;
  /** The options of a call made by them. */
  readonly as: CallOptions;
}

/** The user service, as far as storage asks it. */
export class FakeUsers {
  /** `<subject> <workspace>` → what the subject may do there. */
  readonly members = new Map<string, Permission[]>();
  quotaBytes = 0n;
  maxFileBytes = 0n;
  #changes: UserChange[] = [];
  #wake: () => void = () => undefined;

  join(
    somebody: Somebody,
    workspaceId: string,
    permissions = [Permission.WORKSPACE_VIEW, Permission.UPLOAD_CREATE, Permission.DOCUMENT_VIEW],
  ) {
    this.members.set(`${somebody.id} ${workspaceId}`, permissions);
  }

  tell(event: UserChange["event"]): void {
    this.#changes.push({ id: newId(), event } as UserChange);
    this.#wake();
  }

  clients(): Clients {
    const users = this;
    return {
      memberships: {
        getMembership: async ({ subject, workspaceId }: { subject?: { id?: string }; workspaceId?: string }) => {
          const permissions = users.members.get(`${subject?.id} ${workspaceId}`);
          return {
            member: permissions !== undefined,
            permissions: permissions ?? [],
            groupIds: [],
            epoch: "1",
            roleId: "",
          };
        },
        getWorkspaceFacts: async () => ({ quotaBytes: users.quotaBytes, maxFileBytes: users.maxFileBytes }),
      },
      tokens: { listPublicKeys: async () => ({ keys: [publicKey] }) },
      userChanges: {
        async *watchUserChanges(_request: unknown, { signal }: { signal: AbortSignal }) {
          for (let cursor = 1; !signal.aborted; cursor += 1) {
            const changes = users.#changes;
            users.#changes = [];
            yield { changes, cursor: String(cursor) };
            if (users.#changes.length > 0) continue;
            await new Promise<void>((resolve) => {
              users.#wake = resolve;
              signal.addEventListener("abort", () => resolve(), { once: true });
            });
          }
        },
      },
    } as unknown as Clients;
  }
}

export interface Harness extends AsyncDisposable {
  readonly users: FakeUsers;
  readonly uploads: Client<typeof UploadService>;
  readonly transfers: Client<typeof TransferService>;
  readonly usage: Client<typeof UsageService>;
  readonly blobs: Client<typeof BlobService>;
  readonly anna: Somebody;
  readonly ben: Somebody;
  readonly workspaceId: string;
  readonly folder: string;
  readonly log: CapturedLog;
  readonly clock: { now: number };
  readonly service: () => RunningStorage;
  /** Where the bytes are. */
  readonly place: TestPlace;
  /** Stops the service and starts it again on the same folder. */
  restart(): Promise<void>;
}

export async function somebody(
  kind: "person" | "application" = "person",
  workspaceId?: string,
  scopes?: Permission[],
  id = newId(),
): Promise<Somebody> {
  const common = { kind, id, expiresAt: Date.now() + 300_000 };
  const content =
    kind === "person"
      ? { ...common, sessionId: newId() }
      : { ...common, keyId: newId(), workspaceId: workspaceId ?? newId(), scopes: scopes ?? [] };
  const token = await signToken(content, { keyId: publicKey.id, key: keys.privateKey }, Date.now());
  return { id, as: { headers: { [headerNames.authorization]: `Bearer ${token}` } } };
}

/** What an earlier process left behind. */
export interface Known {
  readonly folder: string;
  readonly annaId: string;
  readonly workspaceId: string;
}

/** Starts a service with settings on top of small, safe ones. Time stands still unless a test moves it. */
export async function startHarness(env: Record<string, string> = {}, known: Partial<Known> = {}): Promise<Harness> {
  const parts = new AsyncDisposableStack();
  const folder = known.folder === undefined ? parts.use(await temporaryFolder()) : { path: known.folder };
  const users = new FakeUsers();
  const log = captureLog("info");
  const clock = { now: Date.now() };
  const config = readConfig({
    DOCKET_DATA_DIR: folder.path,
    STORAGE_PORT: "0",
    DISK_FLOOR_BYTES: "0",
    STORAGE_JANITOR_INTERVAL: "1h",
    ...(await testParts(folder.path)),
    ...env,
  });
  const place = parts.use(await openTestPlace(config));
  const identity = await testIdentity(Workload.STORAGE);
  const start = () =>
    startStorageService(config, {
      logger: log.logger,
      clients: users.clients(),
      identity,
      clock: () => new Date(clock.now),
      // The place dates what it holds by its own clock, which no test can move.
      abandonedMs: 1000,
    });
  let service = await start();
  parts.defer(() => service[Symbol.asyncDispose]());
  const connect = async () => {
    const addresses = { storage: [service.address] };
    return {
      gateway: connectMesh({ identity: await testIdentity(Workload.GATEWAY), addresses }),
      document: connectMesh({ identity: await testIdentity(Workload.DOCUMENT), addresses }),
    };
  };
  let mesh = await connect();
  parts.defer(async () => {
    await mesh.gateway[Symbol.asyncDispose]();
    await mesh.document[Symbol.asyncDispose]();
  });
  const anna = await somebody("person", undefined, [], known.annaId);
  const ben = await somebody();
  const workspaceId = known.workspaceId ?? newId();
  users.join(anna, workspaceId);
  users.join(ben, workspaceId);
  return {
    users,
    log,
    clock,
    anna,
    ben,
    workspaceId,
    folder: folder.path,
    get uploads() {
      return mesh.gateway.client(UploadService);
    },
    get transfers() {
      return mesh.gateway.client(TransferService);
    },
    get usage() {
      return mesh.gateway.client(UsageService);
    },
    get blobs() {
      return mesh.document.client(BlobService);
    },
    service: () => service,
    place,
    async restart() {
      await mesh.gateway[Symbol.asyncDispose]();
      await mesh.document[Symbol.asyncDispose]();
      await service[Symbol.asyncDispose]();
      service = await start();
      mesh = await connect();
    },
    [Symbol.asyncDispose]: () => parts.disposeAsync(),
  };
}

/** The reason that a call is refused with. */
export async function refusal(call: Promise<unknown>): Promise<{ reason: string; metadata: Record<string, string> }> {
  try {
    await call;
  } catch (error) {
    const info = ConnectError.from(error).findDetails(ErrorInfoSchema)[0];
    if (info === undefined) throw error;
    return {
      reason: (ReasonSchema.value[info.reason]?.name ?? "").replace("REASON_", ""),
      metadata: { ...info.metadata },
    };
  }
  throw new Error("nothing was refused");
}

export const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest();

type Part = MessageInitShape<typeof WriteBlobRequestSchema>;

/** The messages of a write. */
export async function* messages(
  start: MessageInitShape<typeof WriteBlobStartSchema>,
  bytes: Uint8Array,
  { chunk = 256 * 1024, end }: { chunk?: number; end?: Part } = {},
): AsyncGenerator<Part> {
  yield { part: { case: "start", value: start } };
  for (let from = 0; from < bytes.byteLength; from += chunk) {
    yield { part: { case: "chunk", value: bytes.subarray(from, from + chunk) } };
  }
  if (end !== undefined) yield end;
}

/** What a test does most. */
export function tools(harness: Harness) {
  const { anna, workspaceId } = harness;
  const create = async (
    fields: MessageInitShape<typeof CreateUploadRequestSchema> = {},
    by = anna,
  ): Promise<Upload> => {
    const { upload } = await harness.uploads.createUpload({ workspaceId, name: "file.bin", ...fields }, by.as);
    return upload as Upload;
  };
  const write = async (
    uploadId: string,
    bytes: Uint8Array,
    start: MessageInitShape<typeof WriteBlobStartSchema> = {},
    by = anna,
  ) => await harness.transfers.writeBlob(messages({ ...start, uploadId }, bytes), by.as);
  const get = async (uploadId: string, by = anna) =>
    (await harness.uploads.getUpload({ uploadId }, by.as)).upload as Upload;
  const complete = async (uploadId: string, by = anna) =>
    (await harness.uploads.completeUpload({ uploadId, wait: { seconds: 10n } }, by.as)).upload as Upload;
  /** Uploads bytes whole. */
  const store = async (
    bytes: Uint8Array,
    fields: MessageInitShape<typeof CreateUploadRequestSchema> = {},
  ): Promise<Upload> => {
    const upload = await create({ size: BigInt(bytes.byteLength), ...fields });
    if (bytes.byteLength > 0) await write(upload.id, bytes);
    return await complete(upload.id);
  };
  /** Attaches an upload to a new version and gives a ticket for it. */
  const attach = async (uploadId: string, by = anna) => {
    const versionId = newId();
    await harness.blobs.attachUpload({ uploadId, versionId, workspaceId }, by.as);
    await harness.blobs.confirmReferences({ versionIds: [versionId] });
    return versionId;
  };
  const ticketOf = async (versionId: string, by = anna) =>
    (await harness.blobs.createReadTicket({ versionId }, by.as)).ticket;
  const read = async (ticket: string, range: { offset?: bigint; length?: bigint } = {}, by = anna) => {
    const chunks: Uint8Array[] = [];
    let header: unknown;
    for await (const { part } of harness.transfers.readBlob({ ticket, ...range }, by.as)) {
      if (part.case === "header") header = part.value;
      if (part.case === "chunk") chunks.push(part.value);
    }
    return {
      header: header as {
        size: bigint;
        sha256: Uint8Array;
        name: string;
        mediaType: string;
        offset: bigint;
        length: bigint;
      },
      bytes: Buffer.concat(chunks),
    };
  };
  const usage = async () => await harness.usage.getUsage({ workspaceId }, anna.as);
  return { create, write, get, complete, store, attach, ticketOf, read, usage };
}

export type { UploadState };
export { randomBytes };
