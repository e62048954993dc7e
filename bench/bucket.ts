// What a bucket costs: one large file up and down, through Docket on a bucket, through Docket on a folder, and with the
// AWS SDK alone to and from the same S3 server.
//
//   npm run bench:bucket -- [MiB] [runs]
//
// Docket runs as `npm start` runs it, once for each place, in processes of their own; the S3 server is a private one on
// this machine. The three take turns within each run, so that the ratios of a run hold on a noisy machine too. The
// client of the SDK sends parts of the same size, as many at once, each with its SHA-256, and hashes what it receives.

import { createHash } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable } from "node:stream";
import {
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  GetObjectCommand,
  S3Client,
  UploadPartCommand,
} from "@aws-sdk/client-s3";
import { type MadeFile, madeFile } from "@docket/e2e/bytes";
import { startWhole } from "@docket/e2e/kill";
import { type Person, signUp } from "@docket/e2e/person";
import { type S3Server, startS3 } from "@docket/runtime/testing/servers/s3";
import { downloadDocument, uploadDocument } from "./edge_client.ts";
import { peakMb, spread } from "./process_figures.ts";

const mebibytes = Number(process.argv[2] ?? 256);
const runs = Number(process.argv[3] ?? 3);
const partBytes = 8 * 1024 * 1024;
const sentAtOnce = 4;
const say = (line: string) => process.stdout.write(`${line}\n`);

/** Somewhere a file goes and comes back from; `up` answers what `down` wants. */
interface Way {
  readonly name: string;
  up(file: MadeFile): Promise<string>;
  down(id: string, file: MadeFile): Promise<void>;
}

async function docketWay(name: string, person: Person): Promise<Way> {
  const { workspace } = await person.workspaces.createWorkspace({ name });
  return {
    name,
    up: (file) => uploadDocument(person, workspace?.id ?? "", file),
    down: (id) => downloadDocument(person, id),
  };
}

function sdkWay(s3: S3Server): Way {
  const { credentials, endpoint, bucket: Bucket } = s3;
  const client = new S3Client({
    region: "us-east-1",
    endpoint,
    credentials,
    forcePathStyle: true,
    responseChecksumValidation: "WHEN_REQUIRED",
  });
  const digests = new Map<string, string>();
  return {
    name: "the SDK alone",
    async up(file) {
      const Key = `sdk/${digests.size}`;
      const { UploadId } = await client.send(
        new CreateMultipartUploadCommand({ Bucket, Key, ChecksumAlgorithm: "SHA256" }),
      );
      const whole = createHash("sha256");
      const sent: Promise<{ PartNumber: number; ETag: string | undefined; ChecksumSHA256: string }>[] = [];
      const going = new Set<Promise<unknown>>();
      const send = async (PartNumber: number, Body: Buffer) => {
        const ChecksumSHA256 = createHash("sha256").update(Body).digest("base64");
        const { ETag } = await client.send(
          new UploadPartCommand({ Bucket, Key, UploadId, PartNumber, Body, ChecksumSHA256 }),
        );
        return { PartNumber, ETag, ChecksumSHA256 };
      };
      for (const chunk of file.chunks(0, partBytes)) {
        const body = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
        whole.update(body);
        const part = send(sent.length + 1, body);
        const done = part.finally(() => going.delete(done));
        sent.push(part);
        going.add(done);
        if (going.size >= sentAtOnce) await Promise.race(going);
      }
      const Parts = await Promise.all(sent);
      await client.send(new CompleteMultipartUploadCommand({ Bucket, Key, UploadId, MultipartUpload: { Parts } }));
      digests.set(Key, whole.digest("hex"));
      return Key;
    },
    async down(Key) {
      const { Body } = await client.send(new GetObjectCommand({ Bucket, Key }));
      const hash = createHash("sha256");
      for await (const chunk of Body as Readable) hash.update(chunk);
      if (hash.digest("hex") !== digests.get(Key)) throw new Error("the download differs from the upload");
    },
  };
}

async function speed(work: () => Promise<unknown>): Promise<number> {
  const started = performance.now();
  await work();
  return mebibytes / ((performance.now() - started) / 1000);
}

const folder = await mkdtemp(join(tmpdir(), "docket-bench-"));
const s3 = await startS3();
const onBucket = await startWhole(join(folder, "bucket"), { ...s3.environment, BLOB_URL: s3.place() });
const onFolder = await startWhole(join(folder, "folder"));
try {
  const ways = [
    await docketWay("Docket on a bucket", await signUp(onBucket.url, "Anna")),
    await docketWay("Docket on a folder", await signUp(onFolder.url, "Anna")),
    sdkWay(s3),
  ];
  const figures = ways.map(() => ({ up: [] as number[], down: [] as number[] }));
  for (let run = 1; run <= runs; run += 1) {
    const file = madeFile(`run ${run}`, mebibytes * 1024 * 1024);
    for (const [index, way] of ways.entries()) {
      let id = "";
      const up = await speed(async () => {
        id = await way.up(file);
      });
      const down = await speed(() => way.down(id, file));
      figures[index]?.up.push(up);
      figures[index]?.down.push(down);
      say(`run ${run}: ${way.name}: up ${up.toFixed(0)} MiB/s, down ${down.toFixed(0)} MiB/s`);
    }
  }
  const [bucket, ...others] = figures;
  for (const direction of ["up", "down"] as const) {
    say(`${direction}: ${spread(bucket?.[direction] ?? [], "MiB/s")}`);
    for (const [index, other] of others.entries()) {
      const ratios = (bucket?.[direction] ?? []).map((own, run) => own / (other[direction][run] ?? Number.NaN));
      say(`${direction}, of ${ways[index + 1]?.name}: ${spread(ratios, "times")}`);
    }
  }
  for (const [name, { child }] of [
    ["a bucket", onBucket],
    ["a folder", onFolder],
  ] as const) {
    say(`peak memory of Docket on ${name}: ${(await peakMb(child.pid ?? 0)).toFixed(0)} MB`);
  }
} finally {
  await onBucket.end("SIGTERM");
  await onFolder.end("SIGTERM");
  await s3[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
}
