// Errors that a test asked for by code, message and details. Docket's own calls fail with reasons and with nothing else,
// so its chain and its edge make "something went wrong" of these; here, outside of both, they are taken out again.

import { ConnectError, type Interceptor } from "@connectrpc/connect";
import { toConnectError } from "@docket/runtime/errors";
import { mappingErrors } from "@docket/runtime/interceptors/streams";

/** An error that is to reach the client as it is. */
export class Asked extends ConnectError {}

/** The error that was asked for, where one lies beneath; otherwise the error itself. */
export function askedBeneath(error: unknown): unknown {
  for (let at = error; at instanceof Error; at = at.cause) if (isAsked(at)) return at;
  return error;
}

/** Not `instanceof`: ConnectError has that answer true for whatever looks like one. */
function isAsked(error: unknown): error is Asked {
  return error instanceof Error && error.constructor === Asked;
}

/** The outermost link of the chain, around Docket's own. */
export const asAsked: Interceptor = (next) => async (request) => {
  try {
    const answer = await next(request);
    return answer.stream ? { ...answer, message: mappingErrors(answer.message, askedBeneath) } : answer;
  } catch (error) {
    throw askedBeneath(error);
  }
};

/** What goes over the wire: what was asked for, and otherwise what Docket says. */
export function failureOf(error: unknown): ConnectError {
  const asked = askedBeneath(error);
  return isAsked(asked) ? asked : toConnectError(error, "");
}
