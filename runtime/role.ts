// What one process of a service does: answer calls, do the work behind them, or both. Servers and workers of a service
// share nothing but its database, so that each is scaled apart. It must never know which service it is.

import { StartError } from "./errors.ts";
import { type ProcessOptions, runProcess } from "./lifecycle.ts";

const roles = ["all", "server", "worker"] as const;

/**
 * `server` listens and runs no jobs; `worker` runs jobs, periodic work and whatever must be applied once for all
 * processes, and answers nothing but health checks; `all` does both.
 */
export type Role = (typeof roles)[number];

/** What may be put in place of the command line. */
export interface RoleOptions extends ProcessOptions {
  /** Default: what stands behind the script on the command line. */
  readonly args?: readonly string[];
}

/** Whether a process of this role answers calls of the contract. */
export function answersCalls(role: Role): boolean {
  return role !== "worker";
}

/** Whether a process of this role runs jobs. */
export function runsJobs(role: Role): boolean {
  return role !== "server";
}

/** The role that a command line asks for. Throws StartError with one sentence that names what is wrong. */
export function readRole(args: readonly string[]): Role {
  let role: Role = "all";
  for (let at = 0; at < args.length; at += 1) {
    const [name = "", given] = split(args[at] ?? "");
    if (name !== "--role") throw new StartError(`${name} is not an argument of this service; --help tells which are.`);
    const text = given ?? args[++at] ?? "";
    const known = roles.find((one) => one === text);
    if (known === undefined) throw new StartError(`--role must be one of ${roles.join(", ")}.`);
    role = known;
  }
  return role;
}

/**
 * Runs a service as a process of its own, in the role that its command line asks for; `--help` tells what may stand there.
 * See {@link runProcess} for how it begins and ends.
 */
export async function runService(
  service: string,
  start: (role: Role) => Promise<AsyncDisposable>,
  { args = process.argv.slice(2), ...options }: RoleOptions = {},
): Promise<never> {
  if (args.includes("--help") || args.includes("-h")) {
    process.stdout.write(help(service));
    return process.exit(0);
  }
  return runProcess(async () => start(readRole(args)), options);
}

/** `--role=worker` as well as `--role worker`. */
function split(argument: string): [string, string?] {
  const equals = argument.indexOf("=");
  return equals < 0 ? [argument] : [argument.slice(0, equals), argument.slice(equals + 1)];
}

function help(service: string): string {
  return `The ${service} service of Docket.

  --role all      answers calls and runs background work (the default)
  --role server   answers calls only
  --role worker   runs background work only, and answers health checks
  --help          tells this

Everything else is set by environment variables; docs/reference/settings.md lists them.
`;
}
