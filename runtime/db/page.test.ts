import { Reason } from "@docket/contracts/gen/docket/error/v1/reason_pb.ts";
import { describe, expect, it } from "@jest/globals";
import { newId } from "../ids.ts";
import { DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE, openPage, selectPage } from "./page.ts";
import { openNotes } from "./testing/note.ts";

const filters = { workspace: "w", order: "created_at" };

describe("a page of a list", () => {
  it.each(["asc", "desc"] as const)(
    "goes on after the last row, %s, with equal keys and new rows between",
    async (direction) => {
      await using notes = await openNotes();
      const row = (title: string, created_at: number) => ({ id: newId(), workspace_id: "w", title, created_at });
      const rows = Array.from({ length: 23 }, (_, i) =>
        row(`n${String(i).padStart(2, "0")}`, 1000 + Math.floor(i / 4)),
      );
      await notes.db.query.insertInto("note").values(rows).execute();

      const titles: string[] = [];
      let pageToken = "";
      let pages = 0;
      do {
        const query = notes.db.query
          .selectFrom("note")
          .select(["id", "title", "created_at"])
          .where("workspace_id", "=", "w");
        const page = await selectPage(
          query,
          openPage({ pageSize: 5, pageToken }, filters),
          ["created_at", "title"],
          direction,
        );
        titles.push(...page.rows.map((found) => found.title));
        pageToken = page.nextPageToken;
        if (++pages === 1)
          await notes.db.query
            .insertInto("note")
            .values(row(direction === "asc" ? "a" : "z", direction === "asc" ? 1 : 9999))
            .execute();
      } while (pageToken !== "");

      const expected = rows.map((each) => each.title);
      expect(titles).toEqual(direction === "asc" ? expected : expected.reverse());
      expect(pages).toBe(5);
    },
  );

  it("gives no token when the last row is the page's last", async () => {
    await using notes = await openNotes();
    await notes.db.query
      .insertInto("note")
      .values({ id: newId(), workspace_id: "w", title: "only", created_at: 1 })
      .execute();
    const query = notes.db.query.selectFrom("note").select("id");
    expect(await selectPage(query, openPage({ pageSize: 1, pageToken: "" }, filters), ["id"])).toMatchObject({
      nextPageToken: "",
    });
  });

  it("has a default size and a largest one", () => {
    expect(openPage({ pageSize: 0, pageToken: "" }, filters).size).toBe(DEFAULT_PAGE_SIZE);
    expect(openPage({ pageSize: 100_000, pageToken: "" }, filters).size).toBe(MAX_PAGE_SIZE);
  });
});

describe("a page token", () => {
  const token = openPage({ pageSize: 1, pageToken: "" }, filters).tokenAfter(["a", 1]);
  const reasonOf = (pageToken: string, of: unknown) => {
    try {
      openPage({ pageSize: 1, pageToken }, of);
      return undefined;
    } catch (error) {
      return (error as { reason?: Reason }).reason;
    }
  };

  it("is good for the same filters, in whatever order they are written", () => {
    expect(openPage({ pageSize: 1, pageToken: token }, { order: "created_at", workspace: "w" }).after).toEqual([
      "a",
      1,
    ]);
  });

  it("is refused for other filters", () => {
    expect(reasonOf(token, { ...filters, workspace: "v" })).toBe(Reason.PAGE_TOKEN_INVALID);
  });

  it.each(["garbage", "%%%", "W10", "e30", Buffer.from('[2,"x","a"]').toString("base64url"), `${token.slice(0, -4)}`])(
    "is refused when nobody gave it: %s",
    (garbage) => {
      expect(reasonOf(garbage, filters)).toBe(Reason.PAGE_TOKEN_INVALID);
    },
  );

  it("is refused when its key has another shape than the list's", async () => {
    await using notes = await openNotes();
    const page = openPage({ pageSize: 1, pageToken: token }, filters);
    const query = notes.db.query.selectFrom("note").select("id");
    await expect(selectPage(query, page, ["id"])).rejects.toMatchObject({ reason: Reason.PAGE_TOKEN_INVALID });
  });
});
