// The user service over real gRPC and a real database: every RPC, and every reason that it promises.

import { afterAll, beforeAll } from "@jest/globals";
import { groupCases } from "./groups.cases.ts";
import { roleCases } from "./roles.cases.ts";
import { sessionCases } from "./sessions.cases.ts";
import { userCases } from "./users.cases.ts";
import { workspaceCases } from "./workspaces.cases.ts";
import { password, startWorld, type World } from "./world.ts";

let world: World;

beforeAll(async () => {
  world = await startWorld();
  await world.anonymous.sessions.signUp({ email: "admin@example.com", password, displayName: "Administrator" });
});

afterAll(() => world[Symbol.asyncDispose]());

sessionCases(() => world);
userCases(() => world);
workspaceCases(() => world);
roleCases(() => world);
groupCases(() => world);
