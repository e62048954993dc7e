// Every cell of the matrix, asked three times: of the called pod's Envoy alone, by somebody who holds the caller's certificate and has
// got past its sidecar; through the caller's own sidecar, as it really calls; and of the process alone, past its Envoy. What each
// says is held against what the contract says and what mesh:explain says.

import { workloadName } from "@docket/contracts/policy";
import type { DescMethod } from "@bufbuild/protobuf";
import { type Cell, cellName, cells, decideByContract } from "../src/cells.ts";
import type { Outcome } from "../src/evaluate.ts";
import { Explainer } from "../src/explain.ts";
import { principalOf, type MeshOptions } from "../src/options.ts";
import { meshOptions } from "../src/configuration.ts";
import { rowOf } from "../src/workloads.ts";
import type { VerifiedMesh } from "./mesh.ts";
import type { RpcAnswer, RpcQuestion } from "./probe/protocol.ts";
import { environments, namespaceOf } from "./render.ts";
import type { Tokens } from "./subjects.ts";

/** From where a cell is asked. */
export type Path = "server" | "sidecar" | "process";

/** A cell that did not go as it must. */
export interface Surprise {
  readonly cell: string;
  readonly path: Path | "explain";
  readonly expected: string;
  readonly seen: string;
}

/** What was asked, and what was not as it must be. */
export interface MatrixResult {
  readonly cells: number;
  readonly asked: Readonly<Record<Path, number>>;
  readonly byOutcome: Readonly<Record<Outcome, number>>;
  readonly surprises: readonly Surprise[];
}

/** How many calls are under way at once. */
const width = 24;
/** Streams that are let in stay open; this long is waited for their first word. Refusals come at once. */
const streamMs = 1500;

/** RPCs that end the session of the token, which therefore come last. */
const last = new Set(["docket.user.v1.SessionService/SignOut"]);

/** Asks everything; `subjects` makes a person and an application anew for each path, since some calls end their session. */
export async function playMatrix(mesh: VerifiedMesh, subjects: () => Promise<Tokens>): Promise<MatrixResult> {
  const environment = mesh.options.rendered.environment;
  const others = environments.filter((other) => other !== environment);
  const all = cells(environment, others);
  const explainer = new Explainer();
  const options = meshOptions();
  const surprises: Surprise[] = [];
  const byOutcome: Record<Outcome, number> = { allowed: 0, denied: 0, unauthenticated: 0 };
  const asked: Record<Path, number> = { server: 0, sidecar: 0, process: 0 };
  for (const cell of all) {
    const expected = decideByContract(cell);
    byOutcome[expected] += 1;
    const explained = explainer.explain(cell).outcome;
    if (explained !== expected) surprises.push({ cell: cellName(cell), path: "explain", expected, seen: explained });
  }
  for (const path of ["server", "sidecar", "process"] as const) {
    const tokens = await subjects();
    const play = async (cell: Cell) => {
      const asking = ask[path](mesh, cell, tokens, options);
      if (asking === undefined) return;
      asked[path] += 1;
      const answer = await mesh.probe(asking.pod).ask(asking.question);
      const expected = decideByContract(cell);
      const surprise = judge[path](answer, expected, explainer, cell);
      if (surprise !== undefined) surprises.push({ cell: cellName(cell), path, expected, seen: surprise });
    };
    await inTurns(
      all.filter((cell) => !isLast(cell)),
      play,
    );
    await inTurns(all.filter(isLast), play);
  }
  return { cells: all.length, asked, byOutcome, surprises };
}

function isLast({ method }: Cell): boolean {
  return last.has(`${method.parent.typeName}/${method.name}`);
}

async function inTurns<T>(items: readonly T[], run: (item: T) => Promise<void>): Promise<void> {
  let next = 0;
  const work = async () => {
    for (let item = items[next++]; item !== undefined; item = items[next++]) await run(item);
  };
  await Promise.all(Array.from({ length: width }, work));
}

interface Asking {
  readonly pod: string;
  readonly question: RpcQuestion;
}

type Ask = (mesh: VerifiedMesh, cell: Cell, tokens: Tokens, options: MeshOptions) => Asking | undefined;

/** From where each path is asked; undefined where there is no such path. */
const ask: Readonly<Record<Path, Ask>> = {
  server: (mesh, cell, tokens) => ({
    pod: "stranger",
    question: {
      ...callOf(cell, tokens),
      target: `${mesh.pod(workloadName(cell.workload)).address}:${rowOf(cell.workload).grpcPort}`,
      tls: { certificates: mesh.certificates(certificateOf(cell)) },
    },
  }),
  // A gateway of Istio calls only where its routes lead; others of the mesh call through their sidecar.
  sidecar: (mesh, cell, tokens) =>
    cell.caller.environment !== cell.environment || rowOf(cell.caller.workload).gateway
      ? undefined
      : { pod: workloadName(cell.caller.workload), question: { ...callOf(cell, tokens), target: hostOf(mesh, cell) } },
  process: (_mesh, cell, tokens, options) => {
    const own = (workload: Cell["workload"], environment: string) => {
      const namespace = namespaceOf(environment);
      return `spiffe://${principalOf(workload, options, { name: environment, namespace })}`;
    };
    const by = own(cell.workload, cell.environment);
    const caller = own(cell.caller.workload, cell.caller.environment);
    const call = callOf(cell, tokens);
    return {
      pod: workloadName(cell.workload),
      question: {
        ...call,
        target: `127.0.0.1:${rowOf(cell.workload).grpcPort}`,
        localAddress: "127.0.0.6",
        headers: {
          ...call.headers,
          "x-forwarded-client-cert": `By=${by};Hash=${"0".repeat(64)};Subject="";URI=${caller}`,
        },
      },
    };
  },
};

/** Asks a cell of the called pod's Envoy over a connection of its own, so that nothing of an earlier state answers. */
export async function askServer(mesh: VerifiedMesh, cell: Cell, tokens: Tokens): Promise<RpcAnswer> {
  const asking = ask.server(mesh, cell, tokens, meshOptions());
  if (asking === undefined) throw new Error(`${cellName(cell)} cannot be asked.`);
  return await mesh.probe(asking.pod).ask({ ...asking.question, fresh: true });
}

/** The certificate folder of a caller, in this environment or another. */
function certificateOf({ caller, environment }: Cell): string {
  const name = workloadName(caller.workload);
  return caller.environment === environment ? name : `${caller.environment}-${name}`;
}

function hostOf(mesh: VerifiedMesh, { workload }: Cell): string {
  return `${workloadName(workload)}.${mesh.options.rendered.namespace}.svc.cluster.local:${rowOf(workload).grpcPort}`;
}

function callOf({ method, token }: Cell, tokens: Tokens): Omit<RpcQuestion, "target"> {
  const secret = tokens[token];
  return {
    operation: "rpc",
    path: `/${method.parent.typeName}/${method.name}`,
    headers: secret === undefined ? {} : { authorization: `Bearer ${secret}` },
    ...(isStream(method) ? { giveUpMs: streamMs } : {}),
  };
}

function isStream({ methodKind }: DescMethod): boolean {
  return methodKind !== "unary";
}

type Judge = (answer: RpcAnswer, expected: Outcome, explainer: Explainer, cell: Cell) => string | undefined;

/** What was seen, where it is not what must be. */
const judge: Readonly<Record<Path, Judge>> = {
  server: (answer, expected) => differing(outcomeAtProxy(answer), expected),
  sidecar: (answer, expected, explainer, cell) => {
    // What the caller's Sidecar does not know never leaves it.
    if (!explainer.explain(cell).reach.allowed)
      return outcomeAtProxy(answer) === "allowed" ? `it got there: ${seen(answer)}` : undefined;
    return differing(outcomeAtProxy(answer), expected);
  },
  // The process says what it says in its own codes; what must agree is whether it lets the call in.
  process: (answer, expected) => {
    const allowed = outcomeAtProcess(answer);
    return typeof allowed === "string" || allowed === (expected === "allowed") ? textOf(allowed) : seen(answer);
  },
};

function textOf(fault: boolean | string): string | undefined {
  return typeof fault === "string" ? fault : undefined;
}

function differing(observed: Outcome | string, expected: Outcome): string | undefined {
  return observed === expected ? undefined : observed;
}

/** What a proxy decided: refusals of its own carry no reason of Docket's. */
export function outcomeAtProxy(answer: RpcAnswer): Outcome | string {
  const { outcome, httpStatus, grpcStatus, grpcMessage = "", reason } = answer;
  if (reason !== undefined || grpcStatus === 0) return "allowed";
  // A stream that was let in, and had nothing to say until the probe went.
  if (outcome === "cancelled" && httpStatus === 200) return "allowed";
  if (grpcStatus === 7 && /^(RBAC: access denied|Audiences in Jwt)/.test(grpcMessage)) return "denied";
  if (grpcStatus === 16 && grpcMessage.startsWith("Jwt ")) return "unauthenticated";
  return seen(answer);
}

const refusals = new Set(["CALLER_UNKNOWN", "CALLER_DENIED", "SESSION_REQUIRED", "SESSION_INVALID", "KEY_INVALID"]);
refusals.add("PRINCIPAL_DENIED");

/** Whether the process's own chain let the call past its caller and session; a text when that cannot be told. */
export function outcomeAtProcess(answer: RpcAnswer): boolean | string {
  if (answer.reason !== undefined) return !refusals.has(answer.reason);
  if (answer.grpcStatus === 0 || (answer.outcome === "cancelled" && answer.httpStatus === 200)) return true;
  return seen(answer);
}

function seen({ outcome, grpcStatus, grpcMessage, httpStatus, reason, error }: RpcAnswer): string {
  return [outcome, httpStatus && `HTTP ${httpStatus}`, grpcStatus !== undefined && `gRPC ${grpcStatus}`, grpcMessage]
    .concat([reason, error])
    .filter((part) => part !== undefined && part !== false)
    .join(", ");
}
