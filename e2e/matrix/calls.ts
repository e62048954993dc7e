// Calls inside the mesh, as any workload and on behalf of anybody, and what the servers say of them. "Denied" is judged by
// the server's own record of the call: to a client NOT_FOUND for want of access looks like NOT_FOUND for want of the thing.

import { randomUUID } from "node:crypto";
import {
  create,
  type DescMessage,
  type DescMethod,
  type DescMethodStreaming,
  type DescMethodUnary,
  type DescService,
  type Message,
  type MessageInitShape,
} from "@bufbuild/protobuf";
import { ConnectError, type Transport } from "@connectrpc/connect";
import { Reason } from "@docket/contracts/gen/docket/error/v1/reason_pb.ts";
import type { Workload } from "@docket/contracts/gen/docket/policy/v1/policy_pb.ts";
import { rpcNameOf, workloads } from "@docket/contracts/policy";
import { headerNames } from "@docket/runtime/call";
import { loadDevelopmentIdentity } from "@docket/runtime/identity/identity";
import type { CallRecord } from "@docket/runtime/interceptors/options";
import { connectMesh, type Mesh } from "@docket/runtime/mesh";
import { eventually } from "@docket/runtime/testing/eventually";
import type { RunningMesh } from "../mesh.ts";

/** What the servers said of calls, by request id and RPC. */
export class Ledger {
  readonly #records = new Map<string, CallRecord>();
  /** The RPCs that failed with INTERNAL: whoever caused it, that is a fault of ours. */
  readonly faults: string[] = [];

  /** Give it to startMesh. */
  readonly observe = (record: CallRecord): void => {
    if (record.reason === Reason.INTERNAL) this.faults.push(record.rpc);
    this.#records.set(`${record.requestId} ${record.rpc}`, record);
  };

  /** What was said of one call; waits for a stream's end to be noticed. */
  async of(requestId: string, rpc: string): Promise<CallRecord> {
    const key = `${requestId} ${rpc}`;
    const record = await eventually(() => this.#records.get(key) ?? false, { timeoutMs: 5000 });
    this.#records.delete(key);
    return record;
  }
}

/** How a call went. */
export interface Outcome {
  /** The answer, or the messages of a stream as far as they were read. */
  readonly answers: readonly Message[];
  /** What the client got instead. */
  readonly error: ConnectError | undefined;
  /** What the server said; undefined for a stream that was left after its first message. */
  readonly record: CallRecord | undefined;
}

/** What a call is made with. */
export interface CallArguments {
  readonly workload: Workload;
  readonly method: DescMethod;
  /** A service of the process to call. Default: the method's own. */
  readonly host?: DescService;
  /** One message, or several for a client stream. */
  readonly messages: readonly MessageInitShape<DescMessage>[];
  /** Who stands behind it. */
  readonly token: string | undefined;
  /** Of a server's stream: whether to read on. Default: one message is enough. */
  readonly enough?: (answers: readonly Message[]) => boolean;
}

/** How long a call may take before it counts as hanging, in milliseconds. */
const patienceMs = 15_000;

/** Every workload's way into the mesh. */
export class Callers implements AsyncDisposable {
  readonly #meshes: ReadonlyMap<Workload, Mesh>;
  readonly #ledger: Ledger;

  private constructor(meshes: ReadonlyMap<Workload, Mesh>, ledger: Ledger) {
    this.#meshes = meshes;
    this.#ledger = ledger;
  }

  static async connect(running: RunningMesh, dataDir: string, ledger: Ledger): Promise<Callers> {
    const addresses = Object.fromEntries(Object.entries(running.addresses).map(([name, address]) => [name, [address]]));
    const meshes = new Map<Workload, Mesh>();
    for (const workload of workloads) {
      const identity = await loadDevelopmentIdentity({ dataDir, workload });
      meshes.set(workload, connectMesh({ identity, addresses }));
    }
    return new Callers(meshes, ledger);
  }

  /** The mesh as a workload sees it. */
  of(workload: Workload): Mesh {
    const mesh = this.#meshes.get(workload);
    if (mesh === undefined) throw new Error(`There is no workload ${workload}.`);
    return mesh;
  }

  /** Makes one call and says how it went. Streams are left after their first message, or when it is enough. */
  async call({
    workload,
    method,
    host = method.parent,
    messages,
    token,
    enough = ([first]) => first !== undefined,
  }: CallArguments): Promise<Outcome> {
    const requestId = randomUUID();
    const headers = callHeaders(token);
    headers.set(headerNames.requestId, requestId);
    const transport = this.of(workload).transport(host);
    const end = new AbortController();
    const timer = setTimeout(() => end.abort(), patienceMs);
    const answers: Message[] = [];
    try {
      if (method.methodKind === "unary") {
        const answer = await transport.unary(
          method as DescMethodUnary,
          end.signal,
          undefined,
          headers,
          messages[0] ?? {},
        );
        answers.push(answer.message);
      } else {
        const sent = messages.map((message) => create(method.input, message));
        const stream = method as DescMethodStreaming;
        const answer = await transport.stream(stream, end.signal, undefined, headers, iterate(sent));
        for await (const message of answer.message) {
          answers.push(message);
          if (method.methodKind === "server_streaming" && enough(answers)) break;
        }
        end.abort();
        if (answers.length > 0) return { answers, error: undefined, record: undefined };
      }
      return { answers, error: undefined, record: await this.#ledger.of(requestId, rpcNameOf(method)) };
    } catch (error) {
      end.abort();
      const record = await this.#ledger.of(requestId, rpcNameOf(method)).catch(() => undefined);
      return { answers, error: ConnectError.from(error), record };
    } finally {
      clearTimeout(timer);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const mesh of this.#meshes.values()) await mesh[Symbol.asyncDispose]();
  }
}

/** A transport on behalf of somebody, for typed clients. */
export function transportAs(mesh: Mesh, token: () => Promise<string | undefined>): Transport {
  return {
    async unary(method, signal, timeoutMs, _header, input, values) {
      const headers = callHeaders(await token());
      return await mesh.transport(method.parent).unary(method, signal, timeoutMs, headers, input, values);
    },
    async stream(method, signal, timeoutMs, _header, input, values) {
      const headers = callHeaders(await token());
      return await mesh.transport(method.parent).stream(method, signal, timeoutMs, headers, input, values);
    },
  };
}

let clients = 0;

/** Each call seems to come from another client, so that guesses of one are not held against the next. */
function callHeaders(token: string | undefined): Headers {
  clients += 1;
  const headers = new Headers({
    [headerNames.clientAddress]: `10.${(clients >> 16) & 255}.${(clients >> 8) & 255}.${clients & 255}`,
  });
  if (token !== undefined) headers.set(headerNames.authorization, `Bearer ${token}`);
  return headers;
}

async function* iterate<T>(values: readonly T[]): AsyncGenerator<T> {
  yield* values;
}
