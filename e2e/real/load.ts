// People at work on several edges, and a ledger of what was acknowledged to them: what happens to a mesh while parts of
// it die is judged by that.

import { randomUUID } from "node:crypto";
import { ConnectError } from "@connectrpc/connect";
import { type Change, ChangeKind, WatchStart } from "@docket/contracts/gen/docket/document/v1/change_pb.ts";
import { Reason } from "@docket/contracts/gen/docket/error/v1/reason_pb.ts";
import { UploadState } from "@docket/contracts/gen/docket/storage/v1/upload_pb.ts";
import { reasonOf } from "@docket/runtime/errors";
import { eventually } from "@docket/runtime/testing/eventually";
import { madeFile } from "../bytes.ts";
import { type Clients, clientsOf, inTurn, type Person, signUp } from "../person.ts";
import { digestOverGrpc, goOn } from "../transfer.ts";
import { Watcher } from "../watcher.ts";
import { balancedTransport, type CallReport, isAway } from "./balanced.ts";
import type { Inbox, Receiver } from "./receiver.ts";

/** What was acknowledged, and how every call ended. */
export interface Load extends AsyncDisposable {
  readonly calls: readonly CallReport[];
  readonly acknowledged: { readonly documents: number; readonly tasks: number };
  /** Ends the work, and waits for what is under way. */
  stop(): Promise<void>;
  /** What is wrong with what was acknowledged; empty when all is well. To be asked after stop(). */
  check(): Promise<string[]>;
  /** How often streams were opened again. */
  readonly resumed: number;
  /** Changes that webhooks brought, and how often one came again. */
  readonly delivered: { readonly changes: number; readonly repeated: number };
}

interface Kept {
  readonly id: string;
  readonly title: string;
  readonly sha256: string;
}

/**
 * Starts `people` people, each with a workspace and a webhook to the receiver, who read and write as fast as they are
 * answered.
 */
export async function startLoad(urls: readonly string[], people: number, receiver: Receiver): Promise<Load> {
  const calls: CallReport[] = [];
  const desks = await Promise.all(
    Array.from({ length: people }, async (_, index) => {
      const person = await inTurn(() => signUp(urls[index % urls.length] ?? "", "Anna"));
      const balanced = balancedPerson(person, urls, (call) => calls.push(call));
      const { workspace } = await balanced.workspaces.createWorkspace({ name: "Work", requestId: randomUUID() });
      const workspaceId = workspace?.id ?? "";
      const inbox = receiver.open();
      const webhook = { workspaceId, name: "Ledger", url: inbox.url, requestId: randomUUID() };
      inbox.secret = (await balanced.webhooks.createWebhook(webhook)).secret;
      return new Desk(balanced, workspaceId, inbox);
    }),
  );
  let working = true;
  const work = Promise.all(desks.map((desk) => desk.work(() => working)));
  // What fails without an excuse ends the program when it is waited for.
  work.catch(() => undefined);
  return {
    calls,
    get acknowledged() {
      return {
        documents: desks.reduce((sum, desk) => sum + desk.documents.length, 0),
        tasks: desks.reduce((sum, desk) => sum + desk.tasks.length, 0),
      };
    },
    get resumed() {
      return desks.reduce((sum, desk) => sum + desk.watcher.opened - 1, 0);
    },
    get delivered() {
      const all = desks.map((desk) => desk.delivered);
      return {
        changes: all.reduce((sum, { changes }) => sum + changes, 0),
        repeated: all.reduce((sum, { repeated }) => sum + repeated, 0),
      };
    },
    async stop() {
      working = false;
      await work;
    },
    async check() {
      return (await Promise.all(desks.map((desk) => desk.check()))).flat();
    },
    async [Symbol.asyncDispose]() {
      working = false;
      for (const desk of desks) desk.watcher.kill();
      await work.catch(() => undefined);
    },
  };
}

function balancedPerson(person: Person, urls: readonly string[], report: (call: CallReport) => void): Person {
  const clients: Clients = clientsOf(balancedTransport(urls, person.secret, report));
  return { ...person, ...clients };
}

/** One person's work. */
class Desk {
  readonly documents: Kept[] = [];
  readonly tasks: { readonly id: string; readonly title: string }[] = [];
  readonly watcher: Watcher;
  readonly #person: Person;
  readonly #workspaceId: string;
  readonly #inbox: Inbox;

  constructor(person: Person, workspaceId: string, inbox: Inbox) {
    this.#person = person;
    this.#workspaceId = workspaceId;
    this.#inbox = inbox;
    this.watcher = new Watcher(person, { filter: { workspaceIds: [workspaceId] }, start: WatchStart.OLDEST }, isAway);
  }

  async work(goOnWorking: () => boolean): Promise<void> {
    await Promise.all([this.#write(goOnWorking), this.#read(goOnWorking)]);
  }

  async #write(goOnWorking: () => boolean): Promise<void> {
    while (goOnWorking()) {
      await this.#document();
      await this.#task();
    }
  }

  async #document(): Promise<void> {
    const title = `Document ${randomUUID()}`;
    const file = madeFile(title, 1 + Math.floor(Math.random() * 60_000));
    const uploadId = await this.#untilDone(() => this.#upload(title, file));
    const requestId = randomUUID();
    const { document } = await this.#untilDone(() =>
      this.#person.documents.createDocument({
        parent: { case: "workspaceId", value: this.#workspaceId },
        uploadId,
        title,
        requestId,
      }),
    );
    this.documents.push({ id: document?.id ?? "", title, sha256: file.sha256().toString("hex") });
  }

  /** Bytes are a stream, which no policy tries again: the client goes on where the server says. */
  async #upload(title: string, file: ReturnType<typeof madeFile>): Promise<string> {
    const { upload: made } = await this.#person.uploads.createUpload({
      workspaceId: this.#workspaceId,
      name: title,
      size: BigInt(file.size),
      sha256: file.sha256(),
      requestId: randomUUID(),
    });
    const uploadId = made?.id ?? "";
    await this.#untilDone(async () => {
      const { upload: kept } = await this.#person.uploads.getUpload({ uploadId });
      if (Number(kept?.offset ?? 0n) < file.size) await goOn(this.#person, uploadId, file, Number(kept?.offset ?? 0n));
    });
    for (;;) {
      const complete = () => this.#person.uploads.completeUpload({ uploadId, wait: { seconds: 10n } });
      const { upload: done } = await this.#untilDone(complete);
      if (done?.state === UploadState.STORED) return uploadId;
      // Whoever verified it may be dead; another takes it over.
      if (done?.state !== UploadState.VERIFYING) throw new Error(`the upload ended in state ${done?.state}`);
    }
  }

  async #task(): Promise<void> {
    const title = `Task ${randomUUID()}`;
    const requestId = randomUUID();
    const place = { case: "workspaceId" as const, value: this.#workspaceId };
    const { task } = await this.#untilDone(() => this.#person.tasks.createTask({ place, title, requestId }));
    this.tasks.push({ id: task?.id ?? "", title });
  }

  async #read(goOnWorking: () => boolean): Promise<void> {
    const workspaceId = this.#workspaceId;
    while (goOnWorking()) {
      const some = this.documents.at(Math.floor(Math.random() * this.documents.length));
      await this.#excused(() => this.#person.sessions.getSession({}));
      await this.#excused(() =>
        this.#person.documents.listDocuments({ parent: { case: "workspaceId", value: workspaceId } }),
      );
      if (some !== undefined) await this.#excused(() => this.#person.documents.getDocument({ documentId: some.id }));
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  /** A failure is told of by the transport; here it must only be one of absence. */
  async #excused(run: () => Promise<unknown>): Promise<void> {
    try {
      await run();
    } catch (error) {
      refuseUnexcused(error);
    }
  }

  /** Goes on until it is acknowledged, as a client with a request_id may. */
  async #untilDone<Result>(run: () => Promise<Result>): Promise<Result> {
    for (;;) {
      try {
        return await run();
      } catch (error) {
        refuseUnexcused(error);
        await new Promise((resolve) => setTimeout(resolve, 50 + Math.random() * 100));
      }
    }
  }

  async check(): Promise<string[]> {
    const faults: string[] = [];
    const person = this.#person;
    const { session } = await person.sessions.getSession({});
    if (session?.userId !== person.id) faults.push("a session did not survive");
    for (const { id, sha256, title } of this.documents) {
      const { document } = await person.documents
        .getDocument({ documentId: id })
        .catch(() => ({ document: undefined }));
      if (document?.title !== title) faults.push(`document ${id} is lost`);
      const digest = await digestOverGrpc(person, id, 1).catch((error) => ConnectError.from(error).message);
      if (digest !== sha256) faults.push(`document ${id} has ${digest}`);
    }
    for (const { id, title } of this.tasks) {
      const { task } = await person.tasks.getTask({ taskId: id }).catch(() => ({ task: undefined }));
      if (task?.title !== title) faults.push(`task ${id} is lost`);
    }
    await this.watcher.until(ChangeKind.DOCUMENT_CREATED, this.documents.length);
    await this.watcher.until(ChangeKind.TASK_CREATED, this.tasks.length);
    faults.push(...orderFaults(this.watcher.changes, ChangeKind.DOCUMENT_CREATED, this.documents.length));
    faults.push(...orderFaults(this.watcher.changes, ChangeKind.TASK_CREATED, this.tasks.length));
    faults.push(...(await this.#deliveryFaults()));
    return faults;
  }

  /** Every change was delivered, and always as the same delivery. */
  async #deliveryFaults(): Promise<string[]> {
    const { changes, faults } = this.#inbox;
    const made = new Set<ChangeKind>([ChangeKind.DOCUMENT_CREATED, ChangeKind.TASK_CREATED]);
    const expected = this.watcher.changes.filter(({ kind }) => made.has(kind)).map(({ id }) => id);
    const missing = () => expected.filter((id) => !changes.has(id));
    await eventually(() => missing().length === 0, { timeoutMs: 60_000, intervalMs: 100 }).catch(() => undefined);
    const lost = missing().length === 0 ? [] : [`${missing().length} of ${expected.length} changes were not delivered`];
    const doubled = [...changes.values()].filter((deliveries) => deliveries.size > 1);
    return [...faults, ...lost, ...(doubled.length === 0 ? [] : [`${doubled.length} changes came as two deliveries`])];
  }

  /** How many deliveries came, and how many of them again. */
  get delivered(): { readonly changes: number; readonly repeated: number } {
    return { changes: this.#inbox.changes.size, repeated: this.#inbox.repeated };
  }
}

/** Each thing was made once, and the stream said so once and in order. */
function orderFaults(changes: readonly Change[], kind: ChangeKind, expected: number): string[] {
  const faults: string[] = [];
  const seen = changes.filter((change) => change.kind === kind);
  if (seen.length !== expected) faults.push(`the stream told of ${seen.length} instead of ${expected} (kind ${kind})`);
  const ids = new Set(changes.map((change) => change.id));
  if (ids.size !== changes.length) faults.push("the stream told of a change twice");
  const ordered = changes.every((change, at) => at === 0 || change.sequence >= (changes[at - 1]?.sequence ?? 0n));
  if (!ordered) faults.push("the stream told of changes out of order");
  return faults;
}

/** Absence is what the programs bring about; anything else is a fault of ours. */
function refuseUnexcused(error: unknown): void {
  const reason = reasonOf(error);
  if (isAway(error) || reason === Reason.DEADLINE_EXCEEDED || reason === Reason.UPLOAD_OFFSET_CONFLICT) return;
  throw error;
}
