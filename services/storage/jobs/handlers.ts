// Jobs that transactions ask for, by kind.

import type { JobHandlers } from "@docket/runtime/queue/worker";
import type { Tables } from "../store/entities.ts";
import { VERIFY_JOB } from "../store/uploads.ts";
import type { Verifier } from "../transfer/verifier.ts";

export function jobHandlers(verifier: Verifier): JobHandlers<Tables> {
  return {
    [VERIFY_JOB]: async ({ payload }, _db, signal) => {
      await verifier.verify((payload as { uploadId: string }).uploadId, signal);
    },
  };
}
