// One watcher: its places in the logs, what it was last known to see, and what it is told of each batch of rows.
import { ChangeKind } from "@docket/contracts/gen/docket/document/v1/change_pb.ts";
import { type Call, forwardCall, type Subject } from "@docket/runtime/call";
import { encodeCursor } from "@docket/runtime/changelog/cursor";
import type { Change as LogRow } from "@docket/runtime/changelog/read";
import { newId } from "@docket/runtime/ids";
import type { Clients } from "../clients.ts";
import { accessKinds, type Wanted, wants } from "../domain/change_filter.ts";
import { tell } from "./delivery.ts";
import { entryOf, type Told, toldOf } from "./entry.ts";
import type { Places } from "./places.ts";
import type { Viewer, Viewers } from "./viewers.ts";

/** A change on its way to a watcher, with the place after it. */
export interface Delivery {
  readonly told: Told;
  readonly cursor: string;
}

export interface SessionOptions {
  readonly viewers: Viewers;
  readonly clients: Pick<Clients, "memberships">;
  readonly subject: Subject;
  readonly call: Call;
  readonly wanted: Wanted;
  readonly places: Places;
}

/** Who watches what, and how far it is. */
export class Session {
  readonly #options: SessionOptions;
  /** What the watcher was known to see of each workspace, to tell when that changes. */
  readonly #seen = new Map<string, Viewer>();

  constructor(options: SessionOptions) {
    this.#options = options;
  }

  get places(): Places {
    return this.#options.places;
  }

  /** The place now. */
  get cursor(): string {
    return encodeCursor(this.places);
  }

  /** What is told of rows of one workspace, in order; the place moves behind them. */
  async take(rows: readonly LogRow[], most = Number.POSITIVE_INFINITY): Promise<Delivery[]> {
    const { viewers, wanted } = this.#options;
    const [first] = rows;
    if (first === undefined) return [];
    const workspaceId = first.partition;
    const entries = rows.map((row) => ({ row, entry: entryOf(row) }));
    // Before anything is decided: who has read the row that takes access away must not go by what was before.
    for (const { row, entry } of entries) {
      if (accessKinds.has(entry.change.kind)) viewers.accessChanged(workspaceId, row.sequence);
    }
    const deliveries = await this.look(workspaceId);
    const viewer = this.#seen.get(workspaceId);
    if (viewer === undefined) return deliveries;
    for (const { row, entry } of entries) {
      // Read before the workspace was left and joined again.
      if (row.sequence <= (this.places.get(workspaceId) ?? 0)) continue;
      const told = await tell(entry, viewer);
      this.places.set(workspaceId, row.sequence);
      const fitting = told.filter(({ change }) => wants(wanted, change));
      if (fitting.length === 0) continue;
      const { cursor } = this;
      deliveries.push(...fitting.map((one) => ({ told: one, cursor })));
      if (deliveries.length >= most) break;
    }
    return deliveries;
  }

  /** Looks what the watcher sees of a workspace now, and tells when that is more or less than before. */
  async look(workspaceId: string): Promise<Delivery[]> {
    const { viewers, subject, call } = this.#options;
    if (!this.places.has(workspaceId)) return [];
    const before = this.#seen.get(workspaceId);
    const now = await viewers.viewer(subject, workspaceId, call);
    if (!now.watches) return this.leave(workspaceId);
    this.#seen.set(workspaceId, now);
    if (before === undefined || before.standing.epoch === now.standing.epoch) return [];
    return changesOfSight(before, now).flatMap((kind) => this.#say(workspaceId, kind));
  }

  /** Watches one more workspace from a place on, and says so. */
  join(workspaceId: string, place: number): Delivery[] {
    this.places.set(workspaceId, place);
    return this.#say(workspaceId, ChangeKind.ACCESS_GAINED);
  }

  /** Watches a workspace no longer, and says why. */
  async leave(workspaceId: string): Promise<Delivery[]> {
    const { clients, call } = this.#options;
    this.places.delete(workspaceId);
    this.#seen.delete(workspaceId);
    const deleted = await clients.memberships.getWorkspaceFacts({ workspaceId }, forwardCall(call)).then(
      ({ deleteTime }) => deleteTime !== undefined,
      () => false,
    );
    return this.#say(workspaceId, deleted ? ChangeKind.WORKSPACE_DELETED : ChangeKind.ACCESS_LOST);
  }

  #say(workspaceId: string, kind: ChangeKind): Delivery[] {
    const sequence = BigInt(this.places.get(workspaceId) ?? 0);
    const told = toldOf({ id: newId(), workspaceId, kind, sequence });
    return wants(this.#options.wanted, told.change) ? [{ told, cursor: this.cursor }] : [];
  }
}

/** Which of gaining and losing happened between two epochs, beyond what rows of the log say. */
function changesOfSight(before: Viewer, now: Viewer): ChangeKind[] {
  if (before.rootLevel > 0 && now.rootLevel > 0) return [];
  const lost = before.rootLevel > now.rootLevel || lacksSome(before, now);
  const gained = now.rootLevel > before.rootLevel || lacksSome(now, before);
  return [...(lost ? [ChangeKind.ACCESS_LOST] : []), ...(gained ? [ChangeKind.ACCESS_GAINED] : [])];
}

/** Whether a had grants through somebody through whom b has none. */
function lacksSome(a: Viewer, b: Viewer): boolean {
  return [...a.principals].some((principal) => !b.principals.has(principal));
}
