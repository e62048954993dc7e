// The one list of what happens to a call on its way in. Closed by default: an RPC whose policy cannot be read never
// gets past start-up, and each link refuses what it cannot decide.

import type { Interceptor } from "@connectrpc/connect";
import { caller, callerOrProbe } from "./caller.ts";
import { deadline } from "./deadline.ts";
import { errors } from "./errors.ts";
import type { ChainOptions } from "./options.ts";
import { permission } from "./permission.ts";
import { session, soundToken } from "./session.ts";
import { telemetry } from "./telemetry.ts";
import { validation } from "./validation.ts";

/** The links in order, outermost first. `after` names the links that must have run before; a test asserts it. */
export const links = [
  // Outermost, so that refusals are counted and timed as well.
  { name: "telemetry", create: telemetry, after: [] },
  // Inside telemetry, so that it sees the code that the caller sees.
  { name: "errors", create: errors, after: ["telemetry"] },
  { name: "caller", create: caller, after: ["errors"] },
  { name: "deadline", create: deadline, after: ["errors", "caller"] },
  { name: "session", create: session, after: ["errors", "caller", "deadline"] },
  // Before permission, so that no malformed id reaches a store.
  { name: "validation", create: validation, after: ["errors", "session"] },
  { name: "permission", create: permission, after: ["session", "validation"] },
] as const;

/** The whole chain, for the RPCs of our own contract. */
export function chain(options: ChainOptions): Interceptor[] {
  return links.map((link) => link.create(options));
}

/** The chain of health, which probes ask for that are no workload. */
export function healthChain(options: ChainOptions): Interceptor[] {
  return [telemetry, errors, callerOrProbe, soundToken].map((create) => create(options));
}

/** The chain of the other foreign services (reflection): nobody is signed in and nothing is named. */
export function foreignChain(options: ChainOptions): Interceptor[] {
  return [telemetry, errors, caller, soundToken].map((create) => create(options));
}
