// Plays every cell of the matrix: RPC × form × workload × subject, and compares what happened with what is declared.

import { create, type DescMessage, type Message, toJsonString } from "@bufbuild/protobuf";
import { Reason, ReasonSchema } from "@docket/contracts/gen/docket/error/v1/reason_pb.ts";
import { enumName, workloadName, workloads } from "@docket/contracts/policy";
import { type Rpc, rpcs } from "@docket/contracts/registry";
import { builders } from "./builders.ts";
import type { Outcome } from "./calls.ts";
import { type Declared, declaredOf, holds } from "./declared.ts";
import { type Built, type Form, formsOf } from "./form.ts";
import { Room } from "./room.ts";
import { type SubjectName, subjectNames } from "./subjects.ts";
import type { World } from "./world.ts";

/** One cell after it was played. */
export interface Cell {
  readonly rpc: Rpc;
  readonly name: string;
  readonly declared: string;
  readonly observed: string;
}

/** The cells of one RPC: one after another, so that two subjects never meet at one thing; RPCs go side by side. */
const sideBySide = 4;

/** Plays all cells, or those of the RPCs that `only` picks. */
export async function play(world: World, only: (rpc: Rpc) => boolean = () => true): Promise<Cell[]> {
  const cells: Cell[] = [];
  const waiting = rpcs
    .filter(only)
    .flatMap((rpc) => formsOf(builders[rpc.name]).map(([form, make]) => ({ rpc, form, make })));
  const worker = async () => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      cells.push(...(await playForm(world, next.rpc, next.form, next.make)));
    }
  };
  await Promise.all(Array.from({ length: sideBySide }, worker));
  return cells;
}

async function playForm(world: World, rpc: Rpc, form: string, make: Form<Rpc["name"]>): Promise<Cell[]> {
  const cells: Cell[] = [];
  // Who may not call is refused before the request is read: one request does for all of them.
  const any = await make(new Room(world, world.actors.owner));
  for (const workload of workloads) {
    const mayCall = rpc.policy.callers.includes(workload);
    const playOne = async (subject: SubjectName): Promise<Cell> => {
      const name = `${rpc.name}${form === "" ? "" : ` (${form})`} by ${workloadName(workload)} for ${subject}`;
      try {
        return { rpc, name, ...(await playCell(world, rpc, workload, subject, mayCall ? make : () => any)) };
      } catch (error) {
        return { rpc, name, declared: "can be tried", observed: String(error) };
      }
    };
    if (mayCall) for (const subject of subjectNames) cells.push(await playOne(subject));
    else cells.push(...(await Promise.all(subjectNames.map(playOne))));
  }
  return cells;
}

async function playCell(
  world: World,
  rpc: Rpc,
  workload: (typeof workloads)[number],
  name: SubjectName,
  make: Form<Rpc["name"]>,
): Promise<Pick<Cell, "declared" | "observed">> {
  const subject = world.subject(name, rpc);
  const built = await make(new Room(world, subject));
  const messages = (Array.isArray(built.request) ? built.request : [built.request]).map((init) =>
    create(rpc.method.input, init as never),
  );
  const declared = declaredOf(rpc, workload, subject, messages[0], built.relation);
  const outcome = await world.callers.call({
    workload,
    method: rpc.method,
    messages,
    token: await (built.as ?? subject).token(),
    ...(built.shows === undefined ? {} : { enough: enoughFor(rpc.method.output, built.shows.id) }),
  });
  return { declared: expectation(declared, built, name), observed: observation(outcome, rpc.method.output, built) };
}

function expectation(declared: Declared, { shows, more }: Built<Rpc["name"]>, subject: SubjectName): string {
  if (!declared.allowed) return refusal(declared.reason);
  if (more === false) return "refused by the handler";
  if (shows === undefined) return "allowed";
  return holds(subject, shows.to.kind, shows.to.permission, shows.to.relation).allowed ? "shown" : "not shown";
}

/** The links of the chain that refuse for want of access. */
const refusing = new Set(["caller", "session", "permission"]);
const wantOfAccess = new Set<Reason | undefined>([Reason.PERMISSION_DENIED, Reason.NOT_FOUND, Reason.NOT_AUTHOR]);

function observation(outcome: Outcome, output: DescMessage, { shows, more, otherwise }: Built<Rpc["name"]>): string {
  const { answers, error, record } = outcome;
  if (error === undefined) {
    if (shows === undefined) return "allowed";
    return answers.some((answer) => mentions(output, answer, shows.id)) ? "shown" : "not shown";
  }
  const reason = record?.reason;
  // A ticket is a permission of its own: the authorizer refuses it, with a reason of its own.
  if (refusing.has(record?.refusedBy ?? "") || reason === Reason.TICKET_INVALID) return refusal(reason);
  if (shows !== undefined && (reason === Reason.NOT_FOUND || reason === Reason.PERMISSION_DENIED)) return "not shown";
  if (more !== undefined && wantOfAccess.has(reason)) return "refused by the handler";
  if (reason !== undefined && otherwise?.includes(reason)) return "allowed";
  return `failed with ${reason === undefined ? error.message : enumName(ReasonSchema, reason)}: ${error.rawMessage}`;
}

const refusal = (reason: Reason | undefined) => `refused with ${enumName(ReasonSchema, reason ?? Reason.UNSPECIFIED)}`;

function mentions(output: DescMessage, answer: Message, id: string): boolean {
  return toJsonString(output, answer).includes(id);
}

/** A stream is read until it shows the thing, or has caught up with the log. */
function enoughFor(output: DescMessage, id: string): (answers: readonly Message[]) => boolean {
  return (answers) => {
    const last = answers.at(-1) as (Message & { lagCount?: bigint }) | undefined;
    return last !== undefined && (mentions(output, last, id) || (last.lagCount ?? 0n) === 0n);
  };
}
