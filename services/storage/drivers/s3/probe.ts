// Tries out, before anybody's bytes are trusted to it, whether a bucket can be used and keeps the promises that pieces rest
// on: it compares checksums, and it refuses a key that is taken. Servers that merely accept such headers exist.

import { createHash, randomUUID } from "node:crypto";
import {
  DeleteObjectCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  type PutObjectCommandOutput,
} from "@aws-sdk/client-s3";
import { StartError } from "@docket/runtime/errors";
import type { Bucket } from "./bucket.ts";
import { nameOf, statusOf } from "./faults.ts";

/** Throws StartError with one sentence that says what the operator can mend. */
export async function probe(bucket: Bucket): Promise<void> {
  const place = { Bucket: bucket.name, Key: `${bucket.location.prefix}probe/${randomUUID()}` };
  const put = (sumOf: string): Promise<PutObjectCommandOutput> =>
    bucket.ask((client, options) =>
      client.send(
        new PutObjectCommand({
          ...place,
          Body: "probe",
          ChecksumSHA256: createHash("sha256").update(sumOf).digest("base64"),
          IfNoneMatch: "*",
          ...bucket.encryption,
        }),
        options,
      ),
    );
  const tryTo = async <T>(what: string, work: () => Promise<T>): Promise<T> => {
    try {
      return await work();
    } catch (fault) {
      throw new StartError(sentence(bucket, what, fault), { cause: fault });
    }
  };

  await tryTo("be listed", () =>
    bucket.ask((client, options) =>
      client.send(new ListObjectsV2Command({ Bucket: bucket.name, Prefix: bucket.piecesPrefix, MaxKeys: 1 }), options),
    ),
  );
  const { ChecksumSHA256 } = await tryTo("be written", () => put("probe"));
  try {
    const { Body } = await tryTo("be read", () =>
      bucket.ask((client, options) => client.send(new GetObjectCommand({ ...place, Range: "bytes=1-2" }), options)),
    );
    if ((await Body?.transformToString()) !== "ro") throw lacking(bucket, "serves no ranges");
    if (ChecksumSHA256 === undefined) throw lacking(bucket, "keeps no SHA-256 checksums");
    if (await succeeds(put("probe"))) throw lacking(bucket, "ignores If-None-Match");
  } finally {
    await tryTo("be removed from", () =>
      bucket.ask((client, options) => client.send(new DeleteObjectCommand(place), options)),
    );
  }
  if (await succeeds(put("something else"))) {
    await bucket.ask((client, options) => client.send(new DeleteObjectCommand(place), options));
    throw lacking(bucket, "takes bytes that do not have their checksum");
  }
}

async function succeeds(work: Promise<unknown>): Promise<boolean> {
  return await work.then(
    () => true,
    (fault: unknown) => {
      // Only a refusal says something about promises.
      if (statusOf((fault as Error).cause) === undefined) throw new StartError("BLOB_URL: the S3 server went away.");
      return false;
    },
  );
}

function lacking(bucket: Bucket, what: string): StartError {
  return new StartError(`BLOB_URL: the S3 server of bucket ${bucket.name} ${what}, so files would not be safe there.`);
}

function sentence(bucket: Bucket, what: string, fault: unknown): string {
  const { name, location } = bucket;
  const cause = (fault as Error).cause;
  const word = nameOf(cause);
  const at = location.endpoint === undefined ? "" : ` at ${location.endpoint.origin}`;
  if (word === "NoSuchBucket" || word === "NotFound") return `BLOB_URL: there is no bucket ${name}${at}.`;
  if (
    /^(InvalidAccessKeyId|SignatureDoesNotMatch|InvalidToken|ExpiredToken|InvalidClientTokenId)|UserNotFound$/.test(
      word,
    )
  ) {
    return `BLOB_URL: the S3 server${at} does not accept the AWS credentials (${word}).`;
  }
  if (word === "CredentialsProviderError") {
    return "BLOB_URL: there are no AWS credentials; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or give the process a role.";
  }
  if (/^(PermanentRedirect|AuthorizationHeaderMalformed)$/.test(word)) {
    return `BLOB_URL: the bucket ${name} is in another region than ${location.region ?? "the one that is set"}; add ?region=… to it.`;
  }
  if (/region is missing/i.test((cause as Error | undefined)?.message ?? "")) {
    return "BLOB_URL: no region is known; add ?region=… to it, or set AWS_REGION.";
  }
  if (statusOf(cause) !== undefined) return `BLOB_URL: the bucket ${name}${at} cannot ${what} (${word}).`;
  return `BLOB_URL: the S3 server${at} cannot be reached (${word}).`;
}
