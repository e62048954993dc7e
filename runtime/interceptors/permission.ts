// Whether the subject may do it to every resource that the request names as a scope.

import type { Message } from "@bufbuild/protobuf";
import type { Interceptor } from "@connectrpc/connect";
import { Reason } from "@docket/contracts/gen/docket/error/v1/reason_pb.ts";
import { Permission, PermissionSchema } from "@docket/contracts/gen/docket/policy/v1/policy_pb.ts";
import { enumName, resourceName, scopesOf } from "@docket/contracts/policy";
import { callKey } from "../call.ts";
import { AppError } from "../errors.ts";
import type { ChainOptions, OpenCall } from "./options.ts";
import { refuseMissingScope } from "./session.ts";
import { peeking } from "./streams.ts";

export function permission(options: ChainOptions): Interceptor {
  return (next) => async (request) => {
    const call = request.contextValues.get(callKey) as OpenCall;
    if (call.policy.access.case !== "permission") return await next(request);
    if (!request.stream) {
      await check(call, request.message, options);
      return await next(request);
    }
    // The scope of a stream is in its first message.
    const { first, all } = await peeking(request.message);
    if (first === undefined)
      throw new AppError(Reason.MALFORMED, { message: "The stream ended before its first message." });
    await check(call, first, options);
    return await next({ ...request, message: all });
  };
}

async function check(call: OpenCall, message: Message, { authorizer }: ChainOptions): Promise<void> {
  const { subject } = call;
  const own = call.policy.access.case === "permission" ? call.policy.access.value : Permission.UNSPECIFIED;
  if (subject === undefined) throw new AppError(Reason.SESSION_REQUIRED, { refusedBy: "permission" });
  let named = 0;
  for (const scope of scopesOf(call.method)) {
    const needed = scope.permission ?? own;
    refuseMissingScope(subject, needed);
    for (const id of scope.read(message)) {
      named += 1;
      const decision = await authorizer.check(
        subject,
        { kind: scope.kind, id, permission: needed, field: scope.field },
        call,
      );
      if (decision.allowed) continue;
      const kind = resourceName(scope.kind);
      if (decision.visible) {
        throw new AppError(Reason.PERMISSION_DENIED, {
          metadata: { permission: enumName(PermissionSchema, needed) },
          refusedBy: "permission",
        });
      }
      throw new AppError(Reason.NOT_FOUND, {
        metadata: { kind, id },
        message: `There is no such ${kind}.`,
        refusedBy: "permission",
      });
    }
  }
  // The linter demands a scope field and the rules demand its value; a request that names nothing passes neither here.
  if (named === 0) throw new AppError(Reason.PERMISSION_DENIED, { refusedBy: "permission" });
}
