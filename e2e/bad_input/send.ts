// Sends a request as a client would: at the edge over each protocol, inside the mesh where the edge does not publish it.

import type { DescMethodStreaming, DescMethodUnary, Message } from "@bufbuild/protobuf";
import { ConnectError, type Transport } from "@connectrpc/connect";
import { type ErrorInfo, ErrorInfoSchema } from "@docket/contracts/gen/docket/error/v1/error_info_pb.ts";
import { Reason } from "@docket/contracts/gen/docket/error/v1/reason_pb.ts";
import { Permission, Workload } from "@docket/contracts/gen/docket/policy/v1/policy_pb.ts";
import type { Rpc } from "@docket/contracts/registry";
import { builders } from "../matrix/builders.ts";
import { formsOf } from "../matrix/form.ts";
import { Room } from "../matrix/room.ts";
import type { Actor } from "../matrix/subjects.ts";
import type { World } from "../matrix/world.ts";
import { edgeTransport, type Protocol } from "../person.ts";

/** The protocols of the edge. */
export const protocols: readonly Protocol[] = ["connect-json", "connect", "grpc-web", "grpc"];

/** Who may call an RPC of the edge, whatever it asks for. */
export function callerOf(world: World, { policy }: Rpc): Actor {
  const { access } = policy;
  const administers = access.case === "permission" && access.value === Permission.INSTANCE_MANAGE;
  return administers ? world.actors.administrator : world.actors.owner;
}

/** A valid request of an RPC, by its builder; the messages of a client stream. */
export async function validRequest(world: World, rpc: Rpc): Promise<readonly unknown[]> {
  const [first] = formsOf(builders[rpc.name]);
  if (first === undefined) throw new Error(`${rpc.name} has no builder.`);
  const { request } = await first[1](new Room(world, callerOf(world, rpc)));
  return Array.isArray(request) ? request : [request];
}

/** The clients of the edge, one connection for each protocol and person. */
export class EdgeClients {
  readonly #url: string;
  readonly #transports = new Map<string, Transport>();

  constructor(url: string) {
    this.#url = url;
  }

  of(secret: string, protocol: Protocol): Transport {
    const key = `${protocol} ${secret}`;
    let transport = this.#transports.get(key);
    if (transport === undefined) {
      transport = edgeTransport(this.#url, secret === "" ? undefined : secret, protocol);
      this.#transports.set(key, transport);
    }
    return transport;
  }
}

/** The error that a call ends with; undefined when it succeeds. */
export async function failureOf(
  transport: Transport,
  rpc: Rpc,
  messages: readonly Message[],
): Promise<ConnectError | undefined> {
  const end = new AbortController();
  const timer = setTimeout(() => end.abort(), 15_000);
  try {
    if (rpc.method.methodKind === "unary") {
      await transport.unary(rpc.method as DescMethodUnary, end.signal, undefined, undefined, messages[0] ?? {});
      return undefined;
    }
    const method = rpc.method as DescMethodStreaming;
    const answer = await transport.stream(method, end.signal, undefined, undefined, iterate(messages));
    for await (const _ of answer.message) break;
    return undefined;
  } catch (error) {
    return ConnectError.from(error);
  } finally {
    end.abort();
    clearTimeout(timer);
  }
}

/** The same inside the mesh, as a workload that may call. */
export async function meshFailureOf(
  world: World,
  rpc: Rpc,
  messages: readonly Message[],
): Promise<ConnectError | undefined> {
  const { error } = await world.callers.call({
    workload: rpc.policy.callers[0] ?? Workload.GATEWAY,
    method: rpc.method,
    messages,
    token: await callerOf(world, rpc).token(),
  });
  return error;
}

/** What every error of Docket carries. */
export function infoOf(error: ConnectError | undefined): ErrorInfo | undefined {
  return error?.findDetails(ErrorInfoSchema)[0];
}

/** What is wrong with an error that should be clear to a client; undefined when nothing is. */
export function unclear(error: ConnectError | undefined): string | undefined {
  if (error === undefined) return "it succeeded";
  const info = infoOf(error);
  if (info === undefined || info.reason === Reason.UNSPECIFIED) return `it has no reason: ${error.message}`;
  if (info.reason === Reason.INTERNAL) return `it is INTERNAL: ${error.message}`;
  if (info.requestId === "") return "it has no request id";
  if (showsInside(error.rawMessage)) return `it shows the inside: ${error.rawMessage}`;
  return undefined;
}

/** Whether a text tells of files, lines or types of the server. */
export function showsInside(text: string): boolean {
  return /\bat .*:\d+:\d+|\.(ts|js|mjs):\d+|node:internal|node_modules|TypeError|RangeError|SyntaxError|SQLITE/.test(
    text,
  );
}

async function* iterate<T>(values: readonly T[]): AsyncGenerator<T> {
  yield* values;
}
