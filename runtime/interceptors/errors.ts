// Turns whatever is thrown further in into the one error that the contract knows.

import type { Interceptor } from "@connectrpc/connect";
import { callOf } from "../call.ts";
import { toConnectError } from "../errors.ts";
import { mappingErrors } from "./streams.ts";

export function errors(): Interceptor {
  return (next) => async (request) => {
    const translate = (error: unknown) => toConnectError(error, callOf({ values: request.contextValues }).requestId);
    try {
      const response = await next(request);
      return response.stream ? { ...response, message: mappingErrors(response.message, translate) } : response;
    } catch (error) {
      throw translate(error);
    }
  };
}
