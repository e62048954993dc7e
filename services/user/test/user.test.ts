// The user service over real gRPC and a real database: every RPC, and every reason that it promises.

import type { CallRecord } from "@docket/runtime/interceptors/options";
import { afterAll, beforeAll, jest } from "@jest/globals";
import { changeCases } from "./changes.cases.ts";
import { completenessCases } from "./completeness.cases.ts";
import { groupCases } from "./groups.cases.ts";
import { keyCases } from "./keys.cases.ts";
import { mailCases } from "./mail.cases.ts";
import { notificationCases } from "./notifications.cases.ts";
import { roleCases } from "./roles.cases.ts";
import { sessionCases } from "./sessions.cases.ts";
import { throttlingCases } from "./throttling.cases.ts";
import { tokenCases } from "./tokens.cases.ts";
import { userCases } from "./users.cases.ts";
import { workspaceCases } from "./workspaces.cases.ts";
import { password, startWorld, type World } from "./world.ts";

// Each starts services and hashes passwords; a busy machine needs its time.
jest.setTimeout(60_000);

let world: World;
const elsewhere: CallRecord[] = [];
/** Adds up what other worlds than the shared one have seen. */
const seen = (other: World) => void elsewhere.push(...other.records);

beforeAll(async () => {
  world = await startWorld();
  await world.anonymous.sessions.signUp({ email: "admin@example.com", password, displayName: "Administrator" });
});

afterAll(async () => {
  await world[Symbol.asyncDispose]();
});

sessionCases(() => world, seen);
userCases(() => world, seen);
workspaceCases(() => world);
roleCases(() => world);
groupCases(() => world);
keyCases(() => world);
changeCases(() => world);
tokenCases(seen);
throttlingCases(seen);
mailCases(seen);
notificationCases(seen);
completenessCases(() => [...world.records, ...elsewhere]);
