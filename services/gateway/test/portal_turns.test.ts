// Who has many pages made at once waits behind themselves: everybody else, and files, come as ever.

import { eventually } from "@docket/runtime/testing/eventually";
import { describe, expect, it } from "@jest/globals";
import { type PortalWorld, smallPage, startPortalWorld } from "./portal_world.ts";

const html = { accept: "text/html" };

interface Holding extends AsyncDisposable {
  readonly world: PortalWorld;
  /** Pages that are being made and are not ready. */
  readonly made: (() => void)[];
  /** Asks for a page; nobody is signed in unless a secret is given. */
  ask(path: string, options?: { secret?: string; signal?: AbortSignal }): Promise<Response>;
}

/** A portal that makes each page until the test lets it be ready; two at once for each client, and one more waits. */
async function holding(env: Record<string, string> = {}): Promise<Holding> {
  const settings = { WEB_PAGES_PER_CLIENT: "2", WEB_WAITING_PER_CLIENT: "1", WEB_TURN_TIMEOUT: "1m" };
  const world = await startPortalWorld({ ...settings, ...env });
  const made: (() => void)[] = [];
  world.page = (request, response) => {
    if (request.url?.startsWith("/_nuxt/")) response.end("file");
    else made.push(() => smallPage(request, response));
  };
  return {
    world,
    made,
    ask: async (path, { secret, signal } = {}) => {
      const headers = { ...html, ...(secret !== undefined && { cookie: `docket=${secret}` }) };
      return await fetch(world.url + path, { headers, ...(signal && { signal }) });
    },
    async [Symbol.asyncDispose]() {
      for (const ready of made.splice(0)) ready();
      world.page = smallPage;
      await world[Symbol.asyncDispose]();
    },
  };
}

describe("pages of one client", () => {
  it("are made a few at once; one more waits, and those beyond are told when to come again", async () => {
    await using held = await holding();
    const { made, ask } = held;
    const asked = [ask("/sign-in"), ask("/sign-in")];
    await eventually(() => made.length === 2);
    // Of two more, one waits and the other is refused, whichever came first.
    const beyond = [ask("/sign-in"), ask("/sign-in")];
    const refused = await Promise.race(beyond);
    expect([refused.status, refused.headers.get("retry-after")]).toEqual([429, "1"]);
    expect(await refused.text()).toContain("Too many requests");
    expect(made.length).toBe(2);

    made.shift()?.();
    await eventually(() => made.length === 2);
    for (const ready of made.splice(0)) ready();
    const statuses = (await Promise.all([...asked, ...beyond])).map(({ status }) => status);
    expect(statuses.sort()).toEqual([200, 200, 200, 429]);
  });

  it("say to a program in the usual form that they are too many", async () => {
    await using held = await holding({ WEB_WAITING_PER_CLIENT: "0" });
    const { world, made, ask } = held;
    void ask("/sign-in");
    void ask("/sign-in");
    await eventually(() => made.length === 2);
    const refused = await fetch(`${world.url}/robots.txt`);
    expect([refused.status, await refused.json()]).toEqual([
      429,
      expect.objectContaining({ reason: "RATE_LIMITED", metadata: { class: "READ" } }),
    ]);
  });

  it("keep nobody else waiting, and no file", async () => {
    await using held = await holding();
    const { world, made, ask } = held;
    for (let asked = 0; asked < 4; asked += 1) void ask("/sign-in");
    await eventually(() => made.length === 2);
    expect(await (await fetch(`${world.url}/_nuxt/entry.js`)).text()).toBe("file");
    const { secret } = world.users.signIn();
    const other = ask("/w/1", { secret });
    await eventually(() => made.length === 3);
    made.pop()?.();
    expect((await other).status).toBe(200);
  });

  it("count for one person together, however many sessions there are", async () => {
    await using held = await holding({ WEB_WAITING_PER_CLIENT: "0" });
    const { world, made, ask } = held;
    const { secret, subject } = world.users.signIn();
    const { secret: again } = world.users.signIn(subject.id);
    void ask("/w/1", { secret });
    void ask("/w/1", { secret: again });
    await eventually(() => made.length === 2);
    expect((await ask("/w/1", { secret })).status).toBe(429);
  });

  it("are refused when their turn does not come in time", async () => {
    await using held = await holding({ WEB_TURN_TIMEOUT: "50ms" });
    const { made, ask } = held;
    void ask("/sign-in");
    void ask("/sign-in");
    await eventually(() => made.length === 2);
    expect((await ask("/sign-in")).status).toBe(429);
    expect(made.length).toBe(2);
  });

  it("leave their place when the visitor goes, waiting or not", async () => {
    await using held = await holding();
    const { made, ask } = held;
    const stop = new AbortController();
    const gone = [ask("/sign-in", stop), ask("/sign-in", stop), ask("/sign-in", stop)];
    await eventually(() => made.length === 2);
    // The third waits: a fourth would be refused.
    await eventually(async () => (await ask("/sign-in", { signal: AbortSignal.timeout(200) })).status === 429);
    stop.abort();
    await Promise.allSettled(gone);
    const next = [ask("/sign-in"), ask("/sign-in")];
    await eventually(() => made.length === 4);
    for (const ready of made.splice(2)) ready();
    expect((await Promise.all(next)).map(({ status }) => status)).toEqual([200, 200]);
  });
});
