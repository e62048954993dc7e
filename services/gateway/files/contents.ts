// The bytes of a version, from storage. A stream ends with the token that it was opened with; a long download goes on
// with a new token and ticket from where it was, and thereby asks again whether it still may.

import type { Client } from "@connectrpc/connect";
import type { Version } from "@docket/contracts/gen/docket/document/v1/version_pb.ts";
import type {
  CreateDownloadTicketResponse,
  VersionService,
} from "@docket/contracts/gen/docket/document/v1/version_service_pb.ts";
import { Reason } from "@docket/contracts/gen/docket/error/v1/reason_pb.ts";
import type { TransferService } from "@docket/contracts/gen/docket/storage/v1/transfer_service_pb.ts";
import { AppError, reasonOf } from "@docket/runtime/errors";
import type { Gate, SignedIn } from "../guard/gate.ts";
import type { Exchange } from "../http/exchange.ts";
import { meshHeaders } from "../rpc/edge_call.ts";
import type { OpenStreams } from "../session/open_streams.ts";
import type { ByteRange } from "./range.ts";

export interface ContentsOptions {
  readonly versions: Client<typeof VersionService>;
  readonly transfers: Client<typeof TransferService>;
  readonly streams: OpenStreams;
  readonly gate: Gate;
}

export interface Wanted {
  readonly documentId: string;
  /** 0 for the newest. */
  readonly number: number;
}

/** How often a broken read is taken up again without a byte in between. */
const fruitlessAttempts = 3;

export class Contents {
  readonly #options: ContentsOptions;

  constructor(options: ContentsOptions) {
    this.#options = options;
  }

  /** Asks for a version and for the right to read it. */
  async open(wanted: Wanted, exchange: Exchange, admission: SignedIn): Promise<{ version: Version; ticket: string }> {
    const { signal } = exchange;
    const options = { headers: meshHeaders(exchange, admission), signal };
    const answer: CreateDownloadTicketResponse = await this.#options.versions.createDownloadTicket(wanted, options);
    if (answer.version === undefined)
      throw new AppError(Reason.INTERNAL, { message: "A ticket came without its version." });
    return { version: answer.version, ticket: answer.ticket };
  }

  /** Its bytes, exactly `range`; throws when they end early. */
  async *read(
    version: Version,
    ticket: string,
    range: ByteRange,
    exchange: Exchange,
    admission: SignedIn,
  ): AsyncGenerator<Uint8Array> {
    let present: { ticket: string; admission: SignedIn } = { ticket, admission };
    let done = 0;
    for (let fruitless = 0; ; ) {
      const before = done;
      try {
        const rest = { offset: range.offset + done, length: range.length - done };
        for await (const piece of this.#readOnce(version, present.ticket, rest, exchange, present.admission)) {
          done += piece.byteLength;
          if (done > range.length)
            throw new AppError(Reason.INTERNAL, { message: "Storage sent more bytes than were asked for." });
          yield piece;
        }
        if (done === range.length) return;
        throw new AppError(Reason.UNAVAILABLE, { message: "The stream ended early." });
      } catch (error) {
        fruitless = done > before ? 0 : fruitless + 1;
        if (!resumable(error) || exchange.signal.aborted || fruitless >= fruitlessAttempts) throw error;
      }
      const subject = await this.#options.gate.renew(exchange, present.admission);
      const renewed: SignedIn = { ...present.admission, subject };
      const wanted = { documentId: version.documentId, number: version.number };
      present = { ticket: (await this.open(wanted, exchange, renewed)).ticket, admission: renewed };
    }
  }

  async *#readOnce(
    version: Version,
    ticket: string,
    { offset, length }: ByteRange,
    exchange: Exchange,
    admission: SignedIn,
  ): AsyncGenerator<Uint8Array> {
    const live = this.#options.streams.open(admission.credential, admission.subject);
    const signal = AbortSignal.any([exchange.signal, live.signal]);
    try {
      const request = { ticket, offset: BigInt(offset), length: BigInt(length) };
      const answers = this.#options.transfers.readBlob(request, { headers: meshHeaders(exchange, admission), signal });
      for await (const { part } of answers) {
        if (part.case === "chunk") yield part.value;
        else if (part.case === "header" && !sameBytes(part.value.sha256, version.digest)) {
          throw new AppError(Reason.INTERNAL, { message: "The ticket names other bytes than its version." });
        }
      }
    } catch (error) {
      throw live.signal.aborted ? live.signal.reason : error;
    } finally {
      live.close();
    }
  }
}

function resumable(error: unknown): boolean {
  const reason = reasonOf(error);
  return reason === Reason.RESUME || reason === Reason.UNAVAILABLE;
}

function sameBytes(left: Uint8Array, right: Uint8Array): boolean {
  return Buffer.compare(left, right) === 0;
}
