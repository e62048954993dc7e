// The consumers are killed at moments that nobody chose, again and again, while people work; Docket itself is restarted
// once. What they wrote down must be the log.

import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { describe, expect, it } from "@jest/globals";
import { WatchStart } from "@docket/contracts/gen/docket/document/v1/change_pb.ts";
import { Permission } from "@docket/contracts/gen/docket/policy/v1/policy_pb.ts";
import { PrincipalKind } from "@docket/contracts/gen/docket/user/v1/principal_pb.ts";
import { eventually } from "@docket/runtime/testing/eventually";
import { temporaryFolder } from "@docket/runtime/testing/temporary_folder";
import { madeFile } from "../../e2e/bytes.ts";
import { type ClientProject, languages, launch, missingFor, prepare } from "../../e2e/clients/projects.ts";
import { roleNamed } from "../../e2e/journey.ts";
import { startWhole } from "../../e2e/kill.ts";
import { clientsOf, edgeTransport, type Person, signUp } from "../../e2e/person.ts";
import { upload } from "../../e2e/transfer.ts";

const kills = 5;

/** A line that a consumer wrote. */
interface Line {
  readonly id: string;
  readonly documentId?: string;
}

describe("a consumer with a named subscription", () => {
  const present = languages.filter((language) => {
    const missing = missingFor(language);
    if (missing !== undefined) process.stderr.write(`  !!! ${missing}\n`);
    return missing === undefined;
  });
  for (const language of languages.filter((each) => !present.includes(each)))
    it.skip(`loses nothing in ${language}`, () => {});

  it(`loses nothing and keeps each document's order when it is killed, in ${present.join(", ")}`, async () => {
    // One after the other: each build takes all cores.
    const projects: ClientProject[] = [];
    for (const language of present) projects.push(await prepare(language));
    await using folder = await temporaryFolder();
    await using processes = new AsyncDisposableStack();
    let whole = await startWhole(join(folder.path, "data"));
    const { url } = whole;
    try {
      const anna = await signUp(url, "Anna");
      const { workspaceId, key } = await enroll(anna);
      const settings = { DOCKET_URL: url, DOCKET_KEY: key, DOCKET_WORKSPACE: workspaceId };
      await using work = new Work(anna, workspaceId);
      const consumers = projects.map((project) => processes.use(new Consumer(project, folder.path, settings)));
      const killed = Promise.all(consumers.map((consumer) => consumer.beKilled(kills)));
      // Awaited below; until then a failure must not count as unhandled.
      killed.catch(() => undefined);
      await work.moreThan(100);
      await whole.end("SIGTERM");
      whole = await startWhole(join(folder.path, "data"), { PORT: new URL(url).port });
      await killed;
      const made = await work.stop();

      const listed = await listAll(url, key, workspaceId);
      expect(listed.length).toBeGreaterThanOrEqual(made.length);
      const known = new Set(listed.flatMap(({ documentId, taskId, commentId }) => [documentId, taskId, commentId]));
      expect(made.filter((id) => !known.has(id))).toEqual([]);
      for (const consumer of consumers) {
        const lines = await consumer.finish(listed.at(-1)?.id ?? "");
        expect(lines.map(({ id }) => id).sort()).toEqual(listed.map(({ id }) => id).sort());
        for (const documentId of new Set(listed.map((change) => change.documentId))) {
          const of = (changes: readonly Line[]) =>
            changes.filter((each) => each.documentId === documentId).map(({ id }) => id);
          expect(of(lines)).toEqual(of(listed));
        }
      }
      process.stderr.write(
        `  ${present.join(", ")}: ${kills} kills each, ${listed.length} changes, each once, in order\n`,
      );
    } finally {
      await whole.end("SIGTERM");
    }
  }, 900_000);
});

/** A workspace, and the key of an application in it that may watch. */
async function enroll(anna: Person): Promise<{ workspaceId: string; key: string }> {
  const { workspace } = await anna.workspaces.createWorkspace({ name: "Harbour Works" });
  const workspaceId = workspace?.id ?? "";
  const { application } = await anna.keys.enrollApplication({ workspaceId, name: "Search index" });
  const id = application?.id ?? "";
  const roleId = await roleNamed(anna, workspaceId, "member");
  await anna.roles.setRoleBinding({ workspaceId, principal: { kind: PrincipalKind.APPLICATION, id }, roleId });
  const scopes = [Permission.CHANGE_WATCH];
  const { secret } = await anna.keys.createApiKey({ workspaceId, applicationId: id, name: "index", scopes });
  return { workspaceId, key: secret };
}

async function listAll(url: string, key: string, workspaceId: string) {
  const { changes } = clientsOf(edgeTransport(url, key));
  const request = { filter: { workspaceIds: [workspaceId] }, start: WatchStart.OLDEST, pageSize: 1000 };
  for (const listed = []; ; ) {
    const page = await changes.listChanges({ ...request, cursor: listed.at(-1)?.cursor ?? "" });
    listed.push(...page.changes);
    if (!page.more) return listed;
  }
}

/** People who work at three documents at once until they are told to stop. */
class Work implements AsyncDisposable {
  readonly #made: string[] = [];
  readonly #done: Promise<unknown>;
  #stopped = false;

  constructor(person: Person, workspaceId: string) {
    this.#done = Promise.all(["Plan", "Contract", "Invoice"].map((title) => this.#at(person, workspaceId, title)));
    this.#done.catch(() => undefined);
  }

  /** Waits until so much was acknowledged. */
  async moreThan(count: number): Promise<void> {
    await Promise.race([this.#done, eventually(() => this.#made.length > count, { timeoutMs: 120_000 })]);
  }

  /** The ids of everything that was acknowledged. */
  async stop(): Promise<readonly string[]> {
    this.#stopped = true;
    await this.#done;
    return this.#made;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop().catch(() => undefined);
  }

  async #at(person: Person, workspaceId: string, title: string): Promise<void> {
    const uploadId = await upload(person, { workspaceId, name: `${title}.bin`, file: madeFile(title, 10_000) });
    const parent = { case: "workspaceId" as const, value: workspaceId };
    const { document } = await person.documents.createDocument({ parent, uploadId, title });
    const documentId = document?.id ?? "";
    const place = { case: "documentId" as const, value: documentId };
    this.#made.push(documentId);
    for (let turn = 1; !this.#stopped; turn += 1) {
      try {
        const updateMask = { paths: ["title"] };
        await person.documents.updateDocument({ documentId, title: `${title} ${turn}`, updateMask });
        const { task } = await person.tasks.createTask({ place, title: `Read ${title}` });
        this.#made.push(task?.id ?? "");
        const { comment } = await person.comments.createComment({ subject: place, body: `Turn ${turn}` });
        this.#made.push(comment?.id ?? "");
      } catch (error) {
        // While Docket restarts; whether the call took effect, the log says.
        if (this.#stopped) throw error;
      }
      await pause(50);
    }
  }
}

/** A consumer, its output, and the hand that kills it. */
class Consumer implements AsyncDisposable {
  readonly #project: ClientProject;
  readonly #path: string;
  readonly #settings: Record<string, string>;
  #child: ChildProcess | undefined;
  #over = false;

  constructor(project: ClientProject, folder: string, settings: Record<string, string>) {
    this.#project = project;
    this.#path = join(folder, `${project.language}.jsonl`);
    this.#settings = settings;
  }

  /** Starts it and kills it so many times, a random moment after it wrote something new. */
  async beKilled(times: number): Promise<void> {
    for (let time = 0; time < times; time += 1) {
      const before = (await this.#lines()).length;
      await this.#runUntil((lines) => lines.length > before);
      await pause(Math.random() * 400);
      await this.#kill();
    }
  }

  /** Starts it a last time and waits until it has written the change that is the last. */
  async finish(last: string): Promise<readonly Line[]> {
    await this.#runUntil((lines) => lines.some(({ id }) => id === last));
    await this.#kill();
    return await this.#lines();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#over = true;
    await this.#kill();
  }

  async #runUntil(check: (lines: readonly Line[]) => boolean): Promise<void> {
    const words = `The consumer in ${this.#project.language}`;
    if (this.#over) throw new Error(`${words} is not needed any more.`);
    const child = launch(this.#project, [...this.#project.consumer, this.#path], this.#settings);
    this.#child = child;
    let said = "";
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on("data", (text) => {
        said += text;
      });
    }
    const giveUpAt = Date.now() + 120_000;
    while (!check(await this.#lines())) {
      if (child.exitCode !== null || child.signalCode !== null) throw new Error(`${words} ended by itself: ${said}`);
      if (Date.now() > giveUpAt) throw new Error(`${words} told nothing new for two minutes: ${said}`);
      await pause(20);
    }
  }

  async #kill(): Promise<void> {
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const exit = once(child, "exit");
    child.kill("SIGKILL");
    await exit;
  }

  async #lines(): Promise<readonly Line[]> {
    const text = await readFile(this.#path, "utf8").catch(() => "");
    const whole = text.slice(0, text.lastIndexOf("\n") + 1);
    return whole.split("\n").flatMap((line) => (line === "" ? [] : [JSON.parse(line) as Line]));
  }
}
