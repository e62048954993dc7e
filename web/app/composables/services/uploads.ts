// Uploads as resources: where each stands. Bytes themselves go over tus (uploads/sending.ts).

import type { CallOptions } from "@connectrpc/connect";
import type { Upload } from "@docket/contracts/gen/docket/storage/v1/upload_pb.ts";
import { UploadService } from "@docket/contracts/gen/docket/storage/v1/upload_service_pb.ts";

export function useUploadService() {
  const client = useClient(UploadService);
  return {
    async get(uploadId: string, options?: CallOptions): Promise<Upload> {
      return there((await client.getUpload({ uploadId }, options)).upload);
    },
    /** Says that all bytes are there; it is complete or failed afterwards. */
    async complete(uploadId: string, options?: CallOptions): Promise<Upload> {
      return there((await client.completeUpload({ uploadId }, options)).upload);
    },
  };
}
