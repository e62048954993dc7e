// @vitest-environment node
import { describe, expect, it } from "vitest";
import { createFolders, type FolderParent } from "../app/uploads/folders.ts";
import { matchFiles } from "../app/uploads/matching.ts";
import { summaryOf } from "../app/uploads/summary.ts";
import type { UploadItem } from "../app/uploads/types.ts";

const target = { workspaceId: "w" };

/** A workspace's folders in memory. */
function workspace(there: Readonly<Record<string, readonly string[]>> = {}) {
  const made: string[] = [];
  const listed: string[] = [];
  const requests: string[] = [];
  let ids = 0;
  let failing = 0;
  const keyOf = (parent: FolderParent) => ("folderId" in parent ? parent.folderId : "root");
  const folders = createFolders({
    newId() {
      ids += 1;
      return `request-${ids}`;
    },
    async list(parent) {
      listed.push(keyOf(parent));
      return (there[keyOf(parent)] ?? []).map((name) => ({ id: `${keyOf(parent)}/${name}`, name }));
    },
    async create(parent, name, requestId) {
      requests.push(requestId);
      if (failing > 0) {
        failing -= 1;
        throw new Error("the answer was lost");
      }
      made.push(`${keyOf(parent)}/${name}`);
      return { id: `${keyOf(parent)}/${name}` };
    },
  });
  return { folders, made, listed, requests, failNext: () => void failing++ };
}

describe("folders of dropped files", () => {
  it("are made once, however many files race for them", async () => {
    const { folders, made, listed } = workspace();
    const paths = Array.from({ length: 50 }, (_, at) => ["A", at % 2 === 0 ? "even" : "odd"]);
    const ids = await Promise.all(paths.map((path) => folders.ensure(target, path)));
    expect(made).toEqual(["root/A", "root/A/even", "root/A/odd"]);
    expect(listed).toEqual(["root"]);
    expect(ids[0]).toBe("root/A/even");
  });

  it("are those that are there already, where there are some", async () => {
    const { folders, made } = workspace({ root: ["A", "A"], "root/A": ["B"] });
    await expect(folders.ensure(target, ["A", "B", "C"])).resolves.toBe("root/A/B/C");
    expect(made).toEqual(["root/A/B/C"]);
  });

  it("lie in the target's own folder", async () => {
    const { folders } = workspace();
    await expect(folders.ensure({ ...target, folderId: "f" }, ["A"])).resolves.toBe("f/A");
    await expect(folders.ensure({ ...target, folderId: "f" }, [])).resolves.toBe("f");
    await expect(folders.ensure(target, [])).resolves.toBeUndefined();
  });

  it("are asked for with the same request when the first answer was lost", async () => {
    const { folders, requests, made, failNext } = workspace();
    failNext();
    await expect(folders.ensure(target, ["A"])).rejects.toThrow("lost");
    await expect(folders.ensure(target, ["A"])).resolves.toBe("root/A");
    expect(requests).toEqual(["request-1", "request-1"]);
    expect(made).toEqual(["root/A"]);
  });

  it("are looked for again after they were forgotten", async () => {
    const { folders, listed } = workspace({ root: ["A"] });
    await folders.ensure(target, ["A"]);
    folders.forget();
    await folders.ensure(target, ["A"]);
    expect(listed).toEqual(["root", "root"]);
  });
});

describe("files chosen again", () => {
  const wanted = (id: string, name: string, path: string[] = [], size = 10, modified = 1) => ({
    id,
    name,
    path,
    size,
    modified,
  });
  const offered = (name: string, path: string[] = [], size = 10, lastModified = 1) => ({
    path,
    file: { name, size, lastModified },
  });

  it("go to the uploads of the same name, size and time of change", () => {
    const one = offered("a.txt");
    const { matched, left } = matchFiles(
      [wanted("1", "a.txt"), wanted("2", "b.txt")],
      [one, offered("b.txt", [], 11), offered("b.txt", [], 10, 2)],
    );
    expect([...matched]).toEqual([["1", one]]);
    expect(left).toHaveLength(2);
  });

  it("go to the upload of the same path first, then to any that still waits", () => {
    const inB = offered("a.txt", ["B"]);
    const loose = offered("a.txt");
    const { matched } = matchFiles([wanted("1", "a.txt", ["A"]), wanted("2", "a.txt", ["B"])], [loose, inB]);
    expect(matched.get("2")).toBe(inB);
    expect(matched.get("1")).toBe(loose);
  });

  it("go to one upload each", () => {
    const { matched, left } = matchFiles([wanted("1", "a.txt")], [offered("a.txt"), offered("a.txt")]);
    expect(matched.size).toBe(1);
    expect(left).toHaveLength(1);
  });
});

describe("the summary", () => {
  const item = (state: UploadItem["state"], size: number, sent = 0) => ({ state, size, sent }) as UploadItem;

  it("counts what stands where, and the time for what still runs", () => {
    const items = [
      item("done", 100),
      item("sending", 100, 40),
      item("waiting", 100),
      item("failed", 100, 10),
      item("paused", 50),
    ];
    expect(summaryOf(items, 20, 0)).toMatchObject({
      total: 5,
      done: 1,
      active: 2,
      failed: 1,
      paused: 1,
      bytes: 450,
      sent: 150,
      secondsLeft: 8,
    });
  });

  it("takes the time from the number of files where they are small", () => {
    const items = Array.from({ length: 100 }, () => item("waiting", 1));
    expect(summaryOf(items, 1000, 5).secondsLeft).toBe(20);
    expect(summaryOf([item("sending", 1000)], 100, 5).secondsLeft).toBe(10);
  });

  it("knows no time while nothing moves", () => {
    expect(summaryOf([item("stalled", 100, 40)], 0, 0)).toMatchObject({
      active: 1,
      stalled: 1,
      secondsLeft: undefined,
    });
  });
});
