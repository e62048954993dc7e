// What the links of the chain are made from, and the record that telemetry keeps of each call.

import type { Code } from "@connectrpc/connect";
import type { Reason } from "@docket/contracts/gen/docket/error/v1/reason_pb.ts";
import type { Workload } from "@docket/contracts/gen/docket/policy/v1/policy_pb.ts";
import type { Authorizer } from "../access.ts";
import type { Call, Subject } from "../call.ts";
import type { Identity } from "../identity/identity.ts";
import type { Logger } from "../logger.ts";
import type { ServerCalls } from "../telemetry/call_metrics.ts";
import type { Telemetry } from "../telemetry/telemetry.ts";
import type { LiveStreams } from "./live_streams.ts";

/** What is said of a call when it has ended. */
export interface CallRecord {
  /** `docket.document.v1.DocumentService/GetDocument`. */
  readonly rpc: string;
  readonly caller: Workload;
  readonly requestId: string;
  /** Undefined when it succeeded. */
  readonly code: Code | undefined;
  readonly reason: Reason | undefined;
  /** The link that refused it, when one did: that tells a NOT_FOUND for want of access from one for want of the thing. */
  readonly refusedBy: string | undefined;
  readonly durationMs: number;
}

/** What the chain needs of its service. */
export interface ChainOptions {
  readonly identity: Identity;
  readonly logger: Logger;
  readonly authorizer: Authorizer;
  /** Turns a token into who it speaks of; throws SESSION_INVALID. */
  readonly verifyToken: (token: string) => Promise<Subject>;
  readonly liveStreams: LiveStreams;
  /** Told of each call that ended. Default: nobody. */
  readonly observe?: (record: CallRecord) => void;
  /** Where calls are traced. Default: nowhere. */
  readonly telemetry?: Telemetry | undefined;
  /** Where calls are counted. Default: nowhere. */
  readonly calls?: ServerCalls | undefined;
}

/** The call as the links fill it. Handlers see it as {@link Call}, which they cannot change. */
export type OpenCall = { -readonly [Key in keyof Call]: Call[Key] };
