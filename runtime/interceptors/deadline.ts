// How long a call may take. A unary call answers DEADLINE_EXCEEDED in time even when its handler hangs; a stream ends
// with RESUME when it has been silent or alive for too long.

import type { Interceptor } from "@connectrpc/connect";
import { Reason } from "@docket/contracts/gen/docket/error/v1/reason_pb.ts";
import { deadlineMsOf, streamTimeOf } from "@docket/contracts/policy";
import { callKey } from "../call.ts";
import { AppError } from "../errors.ts";
import { peerKey } from "../grpc/server.ts";
import type { OpenCall } from "./options.ts";
import { aborted, endingWith, observing } from "./streams.ts";

export function deadline(): Interceptor {
  return (next) => async (request) => {
    const call = request.contextValues.get(callKey) as OpenCall;
    const asked = request.contextValues.get(peerKey).deadline ?? Number.POSITIVE_INFINITY;
    if (!request.stream) {
      call.deadline = Math.min(Date.now() + deadlineMsOf(request.method), asked);
      const late = new AppError(Reason.DEADLINE_EXCEEDED, { refusedBy: "deadline" });
      const leftMs = call.deadline - Date.now();
      // Work that nobody will wait for is not begun.
      if (leftMs <= 0) throw late;
      const end = new AbortController();
      const timer = setTimeout(() => end.abort(late), leftMs);
      call.signal = AbortSignal.any([request.signal, end.signal]);
      try {
        return await Promise.race([next({ ...request, signal: call.signal }), aborted(call.signal)]);
      } finally {
        clearTimeout(timer);
      }
    }
    if (Number.isFinite(asked)) call.deadline = asked;
    const { idleMs, maxAgeMs } = streamTimeOf(request.method);
    const end = new AbortController();
    const resume = () => end.abort(new AppError(Reason.RESUME));
    const age = setTimeout(resume, jittered(maxAgeMs));
    let silence = setTimeout(resume, idleMs);
    let over = false;
    const heard = () => {
      clearTimeout(silence);
      // What still comes in after the end must not start the clock again.
      if (!over) silence = setTimeout(resume, idleMs);
    };
    const finish = () => {
      over = true;
      clearTimeout(age);
      clearTimeout(silence);
    };
    const signal = AbortSignal.any([request.signal, end.signal]);
    call.signal = signal;
    try {
      const opened = next({ ...request, signal, message: observing(request.message, heard) });
      const response = await Promise.race([opened, aborted(signal)]);
      if (!response.stream) return response;
      return { ...response, message: endingWith(observing(response.message, heard), signal, finish) };
    } catch (error) {
      finish();
      throw error;
    }
  };
}

/** Streams opened together should not all come back in the same second. */
function jittered(ms: number): number {
  return ms * (0.9 + Math.random() * 0.1);
}
