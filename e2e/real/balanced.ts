// A client of several edges at once: each call goes to the next of them, and is tried again as often as the contract
// allows for its RPC when an edge was away or was lost while it answered.

import { setTimeout as pause } from "node:timers/promises";
import type { DescMessage, DescMethodUnary } from "@bufbuild/protobuf";
import { Code, ConnectError, type Transport } from "@connectrpc/connect";
import { Reason } from "@docket/contracts/gen/docket/error/v1/reason_pb.ts";
import { retriesOf, rpcNameOf } from "@docket/contracts/policy";
import { reasonOf } from "@docket/runtime/errors";
import { edgeTransport } from "../person.ts";

/** How one unary call ended. */
export interface CallReport {
  readonly rpc: string;
  readonly ms: number;
  readonly tries: number;
  /** Whether the contract lets it be tried again. */
  readonly covered: boolean;
  /** What it failed with after the last try. */
  readonly fault: ConnectError | undefined;
  readonly endedAt: number;
}

/** A transport over all edges; each unary call that ends is told of. */
export function balancedTransport(
  urls: readonly string[],
  secret: string,
  report: (call: CallReport) => void = () => undefined,
): Transport {
  const transports = urls.map((url) => edgeTransport(url, secret));
  let turn = Math.floor(Math.random() * urls.length);
  // Another try goes to another edge than the one before.
  const next = () => {
    turn += 1;
    const first = turn;
    return (tries: number) => transports[(first + tries) % transports.length] as Transport;
  };
  return {
    async unary(method, ...rest) {
      const began = performance.now();
      const more = retriesOf(method as DescMethodUnary<DescMessage, DescMessage>);
      const tell = (tries: number, fault: ConnectError | undefined) =>
        report({
          rpc: rpcNameOf(method as DescMethodUnary<DescMessage, DescMessage>),
          ms: performance.now() - began,
          tries,
          covered: more > 0,
          fault,
          endedAt: Date.now(),
        });
      const edge = next();
      for (let tries = 1; ; tries += 1) {
        try {
          const answer = await edge(tries).unary(method, ...rest);
          tell(tries, undefined);
          return answer;
        } catch (error) {
          const fault = ConnectError.from(error);
          if (tries > more || !isAway(fault)) {
            tell(tries, fault);
            throw error;
          }
          await pause(50 * 2 ** tries * (0.5 + Math.random()));
        }
      }
    },
    stream: (method, ...rest) => next()(1).stream(method, ...rest),
  };
}

/** Whether nobody answered, or somebody who was about to end. What a service says for itself has a reason. */
export function isAway(error: unknown): boolean {
  const reason = reasonOf(error);
  if (reason !== undefined) return reason === Reason.UNAVAILABLE;
  const { code, rawMessage } = ConnectError.from(error);
  if (code === Code.Unavailable || code === Code.Aborted) return true;
  // A connection that ends under a call, in the words of Node's HTTP/2.
  return (
    (code === Code.Internal || code === Code.Canceled) &&
    /socket|GOAWAY|destroyed|hang up|premature|closed|EPIPE|missing trailer|protocol error/i.test(rawMessage)
  );
}
