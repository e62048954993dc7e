// The document service, as far as the integration service asks it: a log for each workspace.
import { create } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError, createClient, createRouterTransport } from "@connectrpc/connect";
import { ChangeFeedService } from "@docket/contracts/gen/docket/document/v1/change_feed_service_pb.ts";
import { type Change, ChangeKind, ChangeSchema } from "@docket/contracts/gen/docket/document/v1/change_pb.ts";
import { newId } from "@docket/runtime/ids";
import type { Clients } from "../clients.ts";

export class FakeFeed {
  readonly #logs = new Map<string, Change[]>();
  readonly #trimmed = new Map<string, number>();
  #streams = new Set<AbortController>();
  #wakers = new Set<() => void>();
  /** Whether the service answers. */
  away = false;

  /** Something happens; answers the change. */
  append(workspaceId: string, facts: { kind?: ChangeKind; documentId?: string } = {}): Change {
    const log = this.#logs.get(workspaceId) ?? [];
    this.#logs.set(workspaceId, log);
    const change = create(ChangeSchema, {
      id: newId(),
      cursor: `cursor-${log.length + 1}`,
      workspaceId,
      sequence: BigInt(log.length + 1),
      time: timestampFromMs(1_700_000_000_000),
      kind: facts.kind ?? ChangeKind.DOCUMENT_CREATED,
      documentId: facts.documentId ?? newId(),
      etag: "r1",
    });
    log.push(change);
    this.#wake();
    return change;
  }

  /** Forgets the changes up to a number, and breaks the streams. */
  trim(workspaceId: string, upTo: number): void {
    this.#trimmed.set(workspaceId, upTo);
    this.breakStreams();
  }

  /** Breaks all streams, as a restart does. */
  breakStreams(): void {
    const streams = this.#streams;
    this.#streams = new Set();
    for (const stream of streams) stream.abort();
    this.#wake();
  }

  client(): Clients["feed"] {
    const transport = createRouterTransport((router) => {
      router.service(ChangeFeedService, {
        getFeedPlaces: ({ workspaceIds }) => {
          this.#refuseAway();
          const places = workspaceIds.map((workspaceId) => ({
            workspaceId,
            sequence: BigInt(this.#head(workspaceId)),
          }));
          return { places };
        },
        followChanges: ({ places }, { signal }) => this.#follow(places, signal),
      });
    });
    return createClient(ChangeFeedService, transport);
  }

  async *#follow(places: readonly { workspaceId: string; sequence: bigint }[], signal: AbortSignal) {
    this.#refuseAway();
    const broken = new AbortController();
    this.#streams.add(broken);
    const at = new Map(places.map(({ workspaceId, sequence }) => [workspaceId, Number(sequence)]));
    for (const [workspaceId, place] of at) {
      const oldest = this.#trimmed.get(workspaceId) ?? 0;
      if (place >= oldest) continue;
      at.set(workspaceId, oldest);
      yield { place: { workspaceId, sequence: BigInt(oldest) }, gap: true };
    }
    while (!signal.aborted) {
      if (broken.signal.aborted) throw new ConnectError("gone", Code.Unavailable);
      for (const [workspaceId, place] of at) {
        const changes = (this.#logs.get(workspaceId) ?? []).slice(place);
        if (changes.length === 0) continue;
        at.set(workspaceId, place + changes.length);
        yield { changes, place: { workspaceId, sequence: BigInt(place + changes.length) } };
      }
      if ([...at].some(([id, place]) => place < this.#head(id))) continue;
      await new Promise<void>((resolve) => {
        this.#wakers.add(resolve);
        signal.addEventListener("abort", () => resolve(), { once: true });
        if (broken.signal.aborted) resolve();
      });
    }
  }

  #head(workspaceId: string): number {
    return this.#logs.get(workspaceId)?.length ?? 0;
  }

  #refuseAway(): void {
    if (this.away) throw new ConnectError("away", Code.Unavailable);
  }

  #wake(): void {
    const wakers = this.#wakers;
    this.#wakers = new Set();
    for (const wake of wakers) wake();
  }
}
