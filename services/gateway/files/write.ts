// Writing an answer no faster than its client reads it.

import { Reason } from "@docket/contracts/gen/docket/error/v1/reason_pb.ts";
import { AppError } from "@docket/runtime/errors";
import { type Exchange, isGone } from "../http/exchange.ts";

/** Writes one piece; resolves when more may come. Throws CANCELLED when the client has gone or reads nothing for `idleMs`. */
export async function writePiece({ response, signal }: Exchange, piece: Uint8Array, idleMs: number): Promise<void> {
  if (signal.aborted || isGone(response)) throw new AppError(Reason.CANCELLED);
  const flowing = (response as { write(chunk: Uint8Array): boolean }).write(piece);
  if (flowing) return;
  await new Promise<void>((resolve, reject) => {
    const done = (result: () => void) => {
      clearTimeout(timer);
      response.off("drain", drained);
      response.off("close", closed);
      result();
    };
    const drained = () => done(resolve);
    const closed = () => done(() => reject(new AppError(Reason.CANCELLED)));
    const timer = setTimeout(closed, idleMs);
    response.once("drain", drained);
    response.once("close", closed);
    if (isGone(response)) closed();
  });
}
