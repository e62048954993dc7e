// The reasons that RPCs promise, and what each reason means on the wire.

import { type DescEnum, type DescMessage, type DescMethod, getOption, hasOption } from "@bufbuild/protobuf";
import { Reason, ReasonSchema, reason as reasonOption } from "../gen/docket/error/v1/reason_pb.ts";
import { policyOf, reasonOptions, statusCodes } from "../policy.ts";
import type { Refuse, RefuseRpc } from "./refusal.ts";

/** The numbers below this one are the chain's reasons. */
const firstPromised = 100;

/** Request fields that bring a reason with them. */
const reasonsOfFields: Readonly<Record<string, Reason>> = {
  request_id: Reason.REQUEST_ID_REUSED,
  page_token: Reason.PAGE_TOKEN_INVALID,
  etag: Reason.ETAG_MISMATCH,
};

/** Refuses promises that cannot be kept or that are forgotten. */
export function lintReasons(method: DescMethod, refuse: RefuseRpc): void {
  const { reasons } = policyOf(method);
  if (new Set(reasons).size !== reasons.length) refuse("promises a reason twice.");
  for (const reason of reasons) {
    const value = ReasonSchema.value[reason];
    if (reason === Reason.UNSPECIFIED) refuse("promises REASON_UNSPECIFIED.");
    else if (!value) refuse(`promises the unknown reason ${reason}.`);
    else if (reasonOptions(reason).chain)
      refuse(`promises ${value.name}, which the chain may give to any RPC; leave it out.`);
  }
  for (const name of fieldNames(method.input)) {
    const reason = reasonsOfFields[name];
    if (reason !== undefined && !reasons.includes(reason)) {
      refuse(`takes ${name} and does not promise ${ReasonSchema.value[reason]?.name}.`);
    }
  }
}

function fieldNames(message: DescMessage): string[] {
  return message.fields.map(({ name }) => name);
}

/** Refuses reasons that do not say what they mean. */
export function lintReasonValues(reasons: DescEnum, refuse: Refuse): void {
  let before = -1;
  for (const value of reasons.values) {
    const element = `${reasons.typeName}.${value.name}`;
    if (value.number <= before)
      refuse(element, `has number ${value.number} after ${before}; keep the numbers in order.`);
    before = value.number;
    if (value.number === 0) continue;
    if (!hasOption(value, reasonOption)) {
      refuse(element, "has no option (reason); say its code.");
      continue;
    }
    const { code, metadata, chain } = getOption(value, reasonOption);
    if (!(code in statusCodes)) refuse(element, `has the unknown code "${code}"; name a gRPC status code.`);
    if (new Set(metadata).size !== metadata.length) refuse(element, "names a metadata key twice.");
    for (const key of metadata.filter((name) => !/^[a-z][a-z0-9_]*$/.test(name))) {
      refuse(element, `has the metadata key "${key}"; write it in lower_snake_case.`);
    }
    if (chain !== value.number < firstPromised) {
      refuse(
        element,
        `${chain ? "is" : "is not"} the chain's and has number ${value.number}; the chain's are 1 to 99.`,
      );
    }
  }
}
