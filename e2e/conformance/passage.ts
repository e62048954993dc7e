// What the edge lets pass, for the suite only. Docket's edge takes a closed list of headers into the mesh, lets none of a
// service's headers and trailers out, and tells errors by their reasons; the suite asks for headers, trailers and errors of
// every kind. So a way around is laid beside the edge's own code, which runs all the same: outside of the handlers, where
// the request is as the client sent it, and beneath them, where the answer is as the service sent it.

import { ConnectError, createContextKey, type Interceptor, type Transport } from "@connectrpc/connect";

/** What goes around the edge's handlers, of one call. */
interface Around {
  readonly sent: Headers;
  readonly header: Headers;
  readonly trailer: Headers;
  failure?: ConnectError;
}

const aroundKey = createContextKey<Around | undefined>(undefined, { description: "docket.conformance.around" });

/** Headers that belong to a hop, or that the edge itself says to the mesh. */
const own =
  /^(:|content-|accept|host$|connection$|keep-alive$|transfer-encoding$|te$|trailer$|user-agent$|grpc-|connect-|x-grpc-web$|x-user-agent$|x-request-id$|x-docket-client$|x-forwarded-|authorization$|cookie$|traceparent$)/;

/** The outermost interceptor of the edge. */
export const outside: Interceptor = (next) => async (request) => {
  const around: Around = { sent: request.header, header: new Headers(), trailer: new Headers() };
  request.contextValues.set(aroundKey, around);
  try {
    const answer = await next(request);
    if (answer.stream) return { ...answer, message: withHeaders(answer, around) };
    copy(around.header, answer.header);
    copy(around.trailer, answer.trailer);
    return answer;
  } catch (error) {
    // No answer was begun: headers and trailers go with the error.
    const metadata = new Headers(around.header);
    copy(around.trailer, metadata);
    throw told(error, around, metadata);
  }
};

async function* withHeaders<T>(
  answer: { readonly message: AsyncIterable<T>; readonly header: Headers; readonly trailer: Headers },
  around: Around,
): AsyncGenerator<T> {
  let begun = false;
  const begin = () => {
    if (!begun) copy(around.header, answer.header);
    begun = true;
  };
  try {
    for await (const message of answer.message) {
      begin();
      yield message;
    }
  } catch (error) {
    throw told(error, around);
  } finally {
    begin();
    copy(around.trailer, answer.trailer);
  }
}

/** The service's error as it came, where it was one; otherwise what the edge says. */
function told(error: unknown, { failure }: Around, metadata?: Headers): unknown {
  if (failure === undefined) return error;
  const same = new ConnectError(failure.rawMessage, failure.code, metadata);
  same.details = failure.details;
  return same;
}

/** The edge's transport, with the ways around. */
export function beneath(transport: Transport): Transport {
  return {
    async unary(method, signal, timeoutMs, header, input, values) {
      const around = values?.get(aroundKey);
      try {
        const answer = await transport.unary(method, signal, timeoutMs, inward(header, around), input, values);
        if (around) take(answer, around);
        return answer;
      } catch (error) {
        // Headers and trailers come with the error, where a call has no answer.
        if (around && error instanceof ConnectError) copy(error.metadata, around.trailer);
        throw remember(error, around);
      }
    },
    async stream(method, signal, timeoutMs, header, input, values) {
      const around = values?.get(aroundKey);
      const answer = await transport.stream(method, signal, timeoutMs, inward(header, around), input, values);
      return { ...answer, message: watched(answer, around) };
    },
  };
}

async function* watched<T>(
  answer: { readonly message: AsyncIterable<T>; readonly header: Headers; readonly trailer: Headers },
  around: Around | undefined,
): AsyncGenerator<T> {
  if (around) copy(answer.header, around.header);
  try {
    yield* answer.message;
  } catch (error) {
    throw remember(error, around);
  } finally {
    if (around) copy(answer.trailer, around.trailer);
  }
}

function inward(header: ConstructorParameters<typeof Headers>[0], around: Around | undefined): Headers {
  const headers = new Headers(header);
  if (around) copy(around.sent, headers);
  return headers;
}

function take(answer: { readonly header: Headers; readonly trailer: Headers }, around: Around): void {
  copy(answer.header, around.header);
  copy(answer.trailer, around.trailer);
}

function remember(error: unknown, around: Around | undefined): unknown {
  if (around === undefined || !(error instanceof ConnectError)) return error;
  around.failure = error;
  return error;
}

function copy(from: Headers, to: Headers): void {
  from.forEach((value, key) => {
    if (!own.test(key)) to.append(key, value);
  });
}
