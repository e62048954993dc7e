// What the server answers before any script runs: pages with their data, one person's only, under a strict
// policy.

import { setTimeout as pause } from "node:timers/promises";
import { beforeAll, describe, expect, it } from "@jest/globals";
import { firstAnswer, makeDocument, mark, type Newcomer, newcomer } from "./newcomer.ts";

const nowhere = "018f0000-0000-7000-8000-000000000000";

/** Somebody with one of everything. */
interface Settled {
  readonly person: Newcomer;
  readonly pages: readonly string[];
  /** Names and ids that nobody else may read. */
  readonly private: readonly string[];
  readonly title: string;
  readonly task: string;
  readonly folder: string;
}

async function settle(name: string): Promise<Settled> {
  const person = await newcomer(name);
  const { workspaceId, workspaceName, email, id } = person;
  const [title, task, folder] = [`Plan ${mark()}`, `Check ${mark()}`, `Drawer ${mark()}`];
  const { folder: made } = await person.folders.createFolder({
    parent: { case: "workspaceId", value: workspaceId },
    name: folder,
  });
  const folderId = made?.id ?? "";
  const inside = `Letter ${mark()}`;
  const documentId = await makeDocument(person, { title });
  const insideId = await makeDocument(person, { title: inside, folderId });
  const { task: begun } = await person.tasks.createTask({
    place: { case: "documentId", value: documentId },
    title: task,
    assignee: { assignee: { case: "personId", value: id } },
  });
  const taskId = begun?.id ?? "";
  return {
    person,
    title,
    task,
    folder,
    pages: [
      `/w/${workspaceId}`,
      `/w/${workspaceId}/f/${folderId}`,
      `/d/${documentId}`,
      "/tasks",
      "/account",
      `/w/${workspaceId}/settings/members`,
      "/",
    ],
    private: [
      ...[person.displayName.split(" ")[1] ?? "", email, id, workspaceId, workspaceName, title, task, folder, inside],
      ...[folderId, documentId, insideId, taskId, person.secret],
    ],
  };
}

let one: Settled;
let other: Settled;
beforeAll(async () => {
  [one, other] = await Promise.all([settle("Anna"), settle("Ben")]);
});

describe("a page's first answer", () => {
  it.each([
    ["the documents", 0, "title"],
    ["a folder's page", 1, "folder"],
    ["a document", 2, "title"],
    ["one's tasks", 3, "task"],
  ] as const)("holds what is asked for in its markup: %s", async (_what, at, shown) => {
    const answer = await firstAnswer(one.pages[at] ?? "", one.person);
    expect(answer.status).toBe(200);
    expect(markupOf(await answer.text())).toContain(one[shown]);
  });

  it("is 404 for what is not there, and the same for what is somebody else's", async () => {
    const missing = [`/d/${nowhere}`, `/w/${nowhere}`, `/w/${one.person.workspaceId}/f/${nowhere}`, "/no-such-page"];
    for (const path of [...missing, ...other.pages.slice(0, 3)]) {
      const answer = await firstAnswer(path, one.person);
      expect([path, answer.status]).toEqual([path, 404]);
      const text = await answer.text();
      // The address itself may be repeated.
      const told = other.private.filter((word) => !path.includes(word) && text.includes(word));
      expect([path, told]).toEqual([path, []]);
    }
  });

  it("is 404 for what Nuxt would serve by itself, and for a trash that is nobody's", async () => {
    expect((await firstAnswer("/api/_nuxt_icon/lucide.json?icons=user", one.person)).status).toBe(404);
    for (const workspaceId of ["no-uuid", nowhere])
      expect((await firstAnswer(`/w/${workspaceId}/trash`, one.person)).status).toBe(404);
  });

  it("sends those who are not signed in to the sign-in page, and back after it", async () => {
    for (const path of one.pages.slice(0, 4)) {
      const answer = await firstAnswer(path);
      expect([answer.status, answer.headers.get("location")]).toEqual([302, `/sign-in?next=${path}`]);
    }
    const answer = await firstAnswer("/sign-in");
    expect(answer.status).toBe(200);
    expect((await firstAnswer("/sign-in", { secret: one.person.secret })).status).toBe(302);
  });

  it("is kept by nobody, and lets no script run but its own", async () => {
    const nonces = new Set<string>();
    const paths = [...one.pages.slice(0, 6), ...one.pages.slice(0, 6), `/d/${nowhere}`];
    for (const path of paths) {
      const answer = await firstAnswer(path, one.person);
      expect(answer.headers.get("cache-control")).toBe("no-store");
      const scripts = directive(answer.headers.get("content-security-policy") ?? "", "script-src");
      expect(scripts).not.toContain("'unsafe-inline'");
      expect(scripts).not.toContain("'unsafe-eval'");
      const [, nonce = ""] = /'nonce-([^']+)'/.exec(scripts.join(" ")) ?? [];
      nonces.add(nonce);
      const html = await answer.text();
      const tags = html.match(/<script\b[^>]*>/g) ?? [];
      expect(tags.length).toBeGreaterThan(0);
      for (const tag of tags) expect(tag).toContain(` nonce="${nonce}"`);
      expect(html.match(/<[^>]*\son[a-z]+=/g)).toBeNull();
    }
    expect(nonces.size).toBe(paths.length);
  });

  it("runs nothing that somebody called a document", async () => {
    const title = `<script>document.title = "run ${mark()}"</script><img src=x onerror=alert(1)>`.replaceAll("/", "|");
    const id = await makeDocument(one.person, { title });
    for (const path of [`/d/${id}`, `/w/${one.person.workspaceId}`]) {
      const html = await (await firstAnswer(path, one.person)).text();
      expect(html).not.toContain(title);
      expect(html).not.toContain("<img src=x");
    }
  });
});

describe("two people's pages at once", () => {
  const rounds = 100;

  it("never hold anything of the other's", async () => {
    const found: string[] = [];
    let seen = 0;
    async function visitor(mine: Settled, theirs: Settled, turn: number): Promise<void> {
      // Spread so that pages begin while others are half-way.
      await pause((turn % 10) * 7 + Math.random() * 40);
      const path = mine.pages[turn % mine.pages.length] ?? "/";
      const answer = await firstAnswer(path, mine.person);
      if (turn % 9 === 0) {
        // Gone in the middle of the answer, whose rest must not turn up in another one.
        await answer.body?.cancel();
        return;
      }
      const text = `${JSON.stringify([...answer.headers])}${await answer.text()}`;
      if (answer.status !== 200 && answer.status !== 302) found.push(`${path} answers ${answer.status}`);
      if (answer.status === 200 && !text.includes(mine.person.id)) found.push(`${path} is nobody's`);
      for (const word of theirs.private) if (text.includes(word)) found.push(`${path} holds ${word}`);
      seen += 1;
    }
    const lanes = Array.from({ length: 10 }, async (_, lane) => {
      for (let turn = lane; turn < rounds; turn += 10)
        await Promise.all([visitor(one, other, turn), visitor(other, one, turn)]);
    });
    await Promise.all(lanes);
    expect(found).toEqual([]);
    expect(seen).toBeGreaterThan(rounds);
  });
});

/** What is seen without any script: scripts hold the data once more. */
function markupOf(html: string): string {
  return html.replace(/<script\b[\s\S]*?<\/script>/g, "").replace(/<head>[\s\S]*?<\/head>/, "");
}

function directive(policy: string, name: string): string[] {
  const parts = policy.split(";").map((part) => part.trim().split(/\s+/));
  return parts.find(([first]) => first === name)?.slice(1) ?? [];
}
