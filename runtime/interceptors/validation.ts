// Holds every message against the rules of the contract (protovalidate), those of a stream one by one.

import { createValidator, type Validator } from "@bufbuild/protovalidate";
import type { DescMessage, DescService, Message } from "@bufbuild/protobuf";
import { create } from "@bufbuild/protobuf";
import { pathToString } from "@bufbuild/protobuf/reflect";
import type { Interceptor } from "@connectrpc/connect";
import { Reason } from "@docket/contracts/gen/docket/error/v1/reason_pb.ts";
import { AppError, invalidArgument } from "../errors.ts";
import { malformedKey } from "../grpc/server.ts";
import { observing } from "./streams.ts";

const validator: Validator = createValidator();

export function validation(): Interceptor {
  return (next) => (request) => {
    const { input } = request.method;
    if (request.stream) {
      return next({ ...request, message: observing(request.message, (message) => validate(input, message)) });
    }
    const malformed = request.contextValues.get(malformedKey);
    if (malformed !== undefined) throw malformed;
    validate(input, request.message);
    return next(request);
  };
}

/** Throws INVALID_ARGUMENT, naming each field that breaks a rule. */
export function validate(schema: DescMessage, message: Message): void {
  const result = validator.validate(schema, message);
  if (result.kind === "valid") return;
  // A rule that cannot be evaluated is a fault of the contract, not of the caller.
  if (result.kind === "error") throw new AppError(Reason.INTERNAL, { cause: result.error });
  throw invalidArgument(
    result.violations.map((violation) => ({
      field: pathToString(violation.field),
      rule: violation.ruleId,
      description: violation.message,
    })),
  );
}

/** Compiles the rules of all requests, which takes a moment each, and finds faulty ones before a caller does. */
export function warmValidation(services: readonly DescService[]): void {
  for (const service of services) {
    for (const method of service.methods) {
      const result = validator.validate(method.input, create(method.input));
      if (result.kind === "error") throw result.error;
    }
  }
}
