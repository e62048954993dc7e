// What is wrong gets a clear error, whoever sends it and in whichever protocol: no stack, no crash, nothing stored.

import { create } from "@bufbuild/protobuf";
import { Code } from "@connectrpc/connect";
import { CreateFolderRequestSchema } from "@docket/contracts/gen/docket/document/v1/folder_pb.ts";
import { Reason, ReasonSchema } from "@docket/contracts/gen/docket/error/v1/reason_pb.ts";
import { Workload } from "@docket/contracts/gen/docket/policy/v1/policy_pb.ts";
import { enumName } from "@docket/contracts/policy";
import { findRpc, type Rpc, rpcs } from "@docket/contracts/registry";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "@jest/globals";
import { transportAs } from "../matrix/calls.ts";
import { openWorld, type World } from "../matrix/world.ts";
import { unbreakable } from "./by_hand.ts";
import { byteCases, pathCases, tusCases } from "./http_cases.ts";
import { prepareNames, sendNames } from "./names.ts";
import type { RawAnswer } from "./raw.ts";
import { countRows } from "./rows.ts";
import { type Case, rpcCases } from "./rpc_cases.ts";
import { prepare, sendAll } from "./rules.ts";
import { EdgeClients, failureOf, infoOf, showsInside, unclear } from "./send.ts";

let world: World;
let edge: EdgeClients;

beforeAll(async () => {
  world = await openWorld();
  edge = new EdgeClients(world.mesh.url);
}, 60_000);
afterAll(async () => {
  await world[Symbol.asyncDispose]();
}, 60_000);

afterEach(async () => {
  expect((await fetch(`${world.mesh.url}/healthz`)).status).toBe(200);
  expect(world.ledger.faults).toEqual([]);
});

const say = (line: string) => process.stderr.write(`  ${line}\n`);

describe("a request that breaks a rule of the contract", () => {
  it("is refused with INVALID_ARGUMENT naming the field, for every rule of every field of every RPC", async () => {
    const { jobs, unbroken } = await prepare(world);
    const before = await countRows(world);
    const { sent, rules, faults } = await sendAll(world, edge, jobs);
    say(`${jobs.length} requests that break ${rules} rules of ${rpcs.length} RPCs: ${JSON.stringify(sent)}`);
    say(`${Object.keys(unbreakable).length} rules cannot be broken`);
    expect(faults).toEqual([]);
    expect([...unbroken].sort()).toEqual(Object.keys(unbreakable).sort());
    expect(await countRows(world)).toEqual(before);
  }, 120_000);
});

describe("a name that lies", () => {
  it("is refused over every protocol, in every field that holds a name, and leaves nothing behind", async () => {
    const { jobs, taken } = await prepareNames(world);
    const before = await countRows(world);
    const { sent, fields, faults } = await sendNames(world, edge, jobs);
    say(`${sent} requests with names that lie, in ${fields.size} fields`);
    expect(faults).toEqual([]);
    // Slashes may stand in what is no name of a file; a filter by tag is only compared.
    expect(taken.filter((each) => !each.endsWith(": ../") && !each.includes("ListDocuments tag:"))).toEqual([]);
    expect(taken.filter((each) => /\b(CreateUpload|Folder|Workspace|CreateDocument title)\b/.test(each))).toEqual([]);
    expect(await countRows(world)).toEqual(before);
  }, 120_000);
});

describe("what is no request at all", () => {
  const play = async (cases: readonly Case[]) => {
    const before = await countRows(world);
    const wrong: string[] = [];
    for (const { what, send, reasons } of cases) {
      const fault = faultOf(await send(), reasons);
      if (fault !== undefined) wrong.push(`${what}: ${fault}`);
    }
    say(`${cases.length} broken requests`);
    expect(wrong).toEqual([]);
    expect(await countRows(world)).toEqual(before);
  };

  it("is refused as an RPC: unknown methods, types, codecs, frames, compressions, sizes", async () => {
    await play(rpcCases(world));
  }, 60_000);

  it("is refused as an upload over tus", async () => {
    await play(await tusCases(world));
  }, 60_000);

  it("is refused as a path of a file or page", async () => {
    await play(pathCases(world));
  }, 60_000);

  it("is refused as bytes on a connection", async () => {
    await play(byteCases(world));
  }, 60_000);

  it("is refused inside the mesh as well", async () => {
    const rpc = findRpc("docket.document.v1.FolderService/CreateFolder") as Rpc;
    const mesh = transportAs(world.callers.of(Workload.GATEWAY), world.actors.owner.token);
    const nonsense = { ...rpc, method: { ...rpc.method, name: "Nonsense" } } as Rpc;
    const unknown = await failureOf(mesh, nonsense, []);
    expect(unknown?.code).toBe(Code.Unimplemented);
    expect(showsInside(unknown?.message ?? "")).toBe(false);
    const tooLarge = async (bytes: number) =>
      await failureOf(mesh, rpc, [create(CreateFolderRequestSchema, { name: "n".repeat(bytes) })]);
    const refused = await tooLarge(3 << 20);
    expect(infoOf(refused)?.reason).toBe(Reason.MESSAGE_TOO_LARGE);
    expect(unclear(refused)).toBeUndefined();
    // Beyond what the transport takes at all, nobody is left to give a reason: the code must do.
    expect((await tooLarge(6 << 20))?.code).toBe(Code.ResourceExhausted);
    // The bytes of one message sent as another: the wire types of its fields are not those that are expected.
    const upload = findRpc("docket.storage.v1.UploadService/CreatePartialUpload") as Rpc;
    const disguised = { ...rpc, method: { ...rpc.method, input: upload.method.input } } as Rpc;
    const garbled = await failureOf(mesh, disguised, [create(upload.method.input, { size: 5n } as never)]);
    expect(infoOf(garbled)?.reason).toBe(Reason.MALFORMED);
  }, 60_000);
});

/** What is wrong with an answer; undefined when nothing is. */
function faultOf(answer: RawAnswer, reasons: readonly Reason[]): string | undefined {
  const { status, reason, requestId, text } = answer;
  if (showsInside(text)) return `it shows the inside: ${text.slice(0, 200)}`;
  if (reasons.length === 0) return status === 0 ? undefined : `it was answered with ${status}`;
  if (reason === undefined) return `it has no reason: ${status} ${text.slice(0, 200)}`;
  if (!reasons.includes(reason)) return `it has the reason ${enumName(ReasonSchema, reason)}: ${text.slice(0, 200)}`;
  return requestId === undefined ? "it has no request id" : undefined;
}
