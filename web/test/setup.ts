// Runs before each file of tests: calls go to the edge in memory, and nothing else reaches a network.

import { vi } from "vitest";
import { answerInMemory } from "./edge.ts";

answerInMemory();
// The app starts before a test can say who is there; with somebody, it asks nobody and leads nowhere.
const { __NUXT__: payload } = globalThis as { __NUXT__?: { state: Record<string, unknown> } };
if (payload !== undefined) payload.state.$svisitor = { user: {}, session: {}, workspaces: [] };

// A stream of changes would run beside every test; openPortal's `tell` says what one would.
vi.mock("~/live/tab.ts", async (original) => ({
  ...(await original<typeof import("~/live/tab.ts")>()),
  openTab: () => ({ wake: () => undefined, close: () => undefined }),
}));
