// Many documents as one ZIP file, written while it is read. Its length is told beforehand; what fails in the middle cuts
// the connection, so that no file looks whole which is not.

import type { Client } from "@connectrpc/connect";
import type { ArchiveService } from "@docket/contracts/gen/docket/document/v1/archive_service_pb.ts";
import { Reason } from "@docket/contracts/gen/docket/error/v1/reason_pb.ts";
import { RateClass } from "@docket/contracts/gen/docket/policy/v1/policy_pb.ts";
import { AppError } from "@docket/runtime/errors";
import type { Gate, SignedIn } from "../guard/gate.ts";
import type { Exchange } from "../http/exchange.ts";
import type { Route } from "../http/router.ts";
import { meshHeaders } from "../rpc/edge_call.ts";
import type { Contents } from "./contents.ts";
import { contentDisposition } from "./disposition.ts";
import { writePiece } from "./write.ts";
import { type ZipEntry, zip, zipLength } from "./zip.ts";

export interface ArchiveOptions {
  readonly archives: Client<typeof ArchiveService>;
  readonly contents: Contents;
  readonly gate: Gate;
  /** How long a client may read nothing, in milliseconds. */
  readonly idleMs: number;
}

interface Entry extends ZipEntry {
  /** Empty for a folder. */
  readonly documentId: string;
  readonly number: number;
  readonly digest: Uint8Array;
}

const path = /^\/files\/archives\/(?<archive>[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$/i;
/** A token that ends sooner than this is renewed before the next entry, in milliseconds. */
const renewMs = 60_000;

export function archives(options: ArchiveOptions): Route[] {
  const handler: Route["methods"][string] = async (exchange, { archive = "" }) => {
    await download(exchange, archive.toLowerCase(), options);
  };
  return [{ name: "archive", path, methods: { GET: handler, HEAD: handler } }];
}

async function download(exchange: Exchange, archiveId: string, options: ArchiveOptions): Promise<void> {
  const kind = exchange.method === "HEAD" ? "unary" : "stream";
  const admission = await options.gate.admitSignedIn(exchange, { costClass: RateClass.TRANSFER, kind });
  const { name, entries } = await entriesOf(archiveId, exchange, admission, options);
  const { response } = exchange;
  response.setHeader("cache-control", "private, no-store");
  response.setHeader("vary", "authorization, cookie");
  response.setHeader("content-security-policy", "sandbox; default-src 'none'");
  response.setHeader("content-disposition", contentDisposition("attachment", name));
  response.setHeader("content-type", "application/zip");
  response.setHeader("accept-ranges", "none");
  response.setHeader("content-length", String(zipLength(entries)));
  response.statusCode = 200;
  if (exchange.method !== "HEAD") {
    const reader = new Reader(exchange, admission, options);
    for await (const piece of zip(entries, (entry) => reader.read(entry))) {
      await writePiece(exchange, piece, options.idleMs);
    }
  }
  response.end();
}

async function entriesOf(
  archiveId: string,
  exchange: Exchange,
  admission: SignedIn,
  { archives: client }: ArchiveOptions,
): Promise<{ name: string; entries: Entry[] }> {
  const options = { headers: meshHeaders(exchange, admission), signal: exchange.signal };
  const entries: Entry[] = [];
  let name = "";
  for await (const part of client.listArchiveEntries({ archiveId }, options)) {
    if (part.name !== "") name = part.name;
    for (const { path: at, documentId, number, digest, size, time } of part.entries) {
      const changed = Number(time?.seconds ?? 0n) * 1000;
      entries.push({ path: at, documentId, number, digest, size: Number(size), time: changed });
    }
  }
  return { name, entries };
}

/** Reads the contents of entries, one after the other. */
class Reader {
  readonly #exchange: Exchange;
  readonly #options: ArchiveOptions;
  #admission: SignedIn;

  constructor(exchange: Exchange, admission: SignedIn, options: ArchiveOptions) {
    this.#exchange = exchange;
    this.#options = options;
    this.#admission = admission;
  }

  /** Asks anew for each entry whether it may still be read; throws when it is not what was listed. */
  async *read({ documentId, number, size, digest }: Entry): AsyncGenerator<Uint8Array> {
    const exchange = this.#exchange;
    const { contents, gate } = this.#options;
    if (this.#admission.subject.expiresAt < Date.now() + renewMs) {
      this.#admission = { ...this.#admission, subject: await gate.renew(exchange, this.#admission) };
    }
    const { version, ticket } = await contents.open({ documentId, number }, exchange, this.#admission);
    if (Number(version.size) !== size || Buffer.compare(version.digest, digest) !== 0) {
      throw new AppError(Reason.INTERNAL, { message: "A version has other contents than were listed." });
    }
    if (size > 0) yield* contents.read(version, ticket, { offset: 0, length: size }, exchange, this.#admission);
  }
}
