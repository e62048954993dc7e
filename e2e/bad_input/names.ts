// Names that lie: paths, control characters, direction marks, and names without end, in every field that holds a name or
// title. Where the contract allows one (a person's name may have a slash), the request is not bad and is not sent.

import { clone, create, type DescMessage, type Message, ScalarType } from "@bufbuild/protobuf";
import { pathToString } from "@bufbuild/protobuf/reflect";
import { createValidator } from "@bufbuild/protovalidate";
import { edgeRpcs, type Rpc } from "@docket/contracts/registry";
import type { World } from "../matrix/world.ts";
import { callerOf, type EdgeClients, failureOf, infoOf, protocols, unclear, validRequest } from "./send.ts";

/** The names, by what is wrong with them. */
export const badNames: Readonly<Record<string, string>> = {
  "../": "../../etc/passwd",
  NUL: "plan\u0000.pdf",
  "bidi override": "invoice\u202efdp.exe",
  "bidi isolate": "\u2066plan\u2069.pdf",
  "a newline": "plan\r\nx-injected: 1",
  "4 KiB": "n".repeat(4096),
};

const named = /^(name|title|display_name|client_name|label|query|tag)$/;
const validator = createValidator();

/** What became of the names. */
export interface NamesReport {
  readonly sent: number;
  readonly fields: ReadonlySet<string>;
  /** Which names the contract takes, by field. */
  readonly taken: readonly string[];
  readonly faults: readonly string[];
}

interface Job {
  readonly rpc: Rpc;
  readonly field: string;
  readonly what: string;
  readonly message: Message;
}

/** Makes the requests; what they name is made before rows are counted. */
export async function prepareNames(world: World): Promise<{ jobs: Job[]; taken: string[] }> {
  const jobs: Job[] = [];
  const taken: string[] = [];
  for (const rpc of edgeRpcs()) {
    if (rpc.method.methodKind === "client_streaming") continue;
    const [init] = await validRequest(world, rpc);
    const valid = create(rpc.method.input, init as never);
    for (const [what, name] of Object.entries(badNames)) {
      for (const { field, message } of withName(rpc.method.input, valid, name)) {
        const { violations = [] } = validator.validate(rpc.method.input, message);
        if (violations.some((each) => pathToString(each.field) === field)) jobs.push({ rpc, field, what, message });
        else taken.push(`${rpc.name} ${field}: ${what}`);
      }
    }
  }
  return { jobs, taken };
}

/** Sends each over every protocol. */
export async function sendNames(
  world: World,
  edge: EdgeClients,
  jobs: readonly Job[],
): Promise<Omit<NamesReport, "taken">> {
  const faults: string[] = [];
  const all = jobs.flatMap((job) => protocols.map((protocol) => ({ ...job, protocol })));
  const waiting = all.values();
  const worker = async () => {
    for (const { rpc, field, what, message, protocol } of waiting) {
      const error = await failureOf(edge.of(callerOf(world, rpc).secret, protocol), rpc, [message]);
      const told = infoOf(error)?.violations.some((each) => each.field === field);
      const fault = unclear(error) ?? (told ? undefined : `does not name the field: ${error?.message}`);
      if (fault !== undefined) faults.push(`${rpc.name} ${field} (${what}) over ${protocol}: ${fault}`);
    }
  };
  await Promise.all(Array.from({ length: 8 }, worker));
  return { sent: all.length, fields: new Set(jobs.map(({ rpc, field }) => `${rpc.name} ${field}`)), faults };
}

/** The request with the name in each of its fields that hold one, also in messages within it. */
function* withName(desc: DescMessage, valid: Message, name: string): Generator<{ field: string; message: Message }> {
  for (const field of desc.fields) {
    const copy = clone(desc, valid) as Message & Record<string, unknown>;
    if (field.fieldKind === "scalar" && field.scalar === ScalarType.STRING && named.test(field.name) && !field.oneof) {
      copy[field.localName] = name;
      yield { field: field.name, message: copy };
    } else if (field.fieldKind === "list" && field.name === "tags") {
      copy[field.localName] = [name];
      yield { field: `${field.name}[0]`, message: copy };
    } else if (field.fieldKind === "message" && field.name === "profile") {
      const inner = (copy[field.localName] ?? create(field.message)) as Message;
      for (const each of withName(field.message, inner, name)) {
        const whole = clone(desc, valid) as Message & Record<string, unknown>;
        whole[field.localName] = each.message;
        yield { field: `${field.name}.${each.field}`, message: whole };
      }
    }
  }
}
