// A service that follows the stream of changes and keeps its cursor. It can be killed and resumed at any moment.

import { setTimeout as pause } from "node:timers/promises";
import type { MessageInitShape } from "@bufbuild/protobuf";
import { ConnectError } from "@connectrpc/connect";
import type { Change, ChangeKind } from "@docket/contracts/gen/docket/document/v1/change_pb.ts";
import type { WatchChangesRequestSchema } from "@docket/contracts/gen/docket/document/v1/change_service_pb.ts";
import { Reason } from "@docket/contracts/gen/docket/error/v1/reason_pb.ts";
import { reasonOf } from "@docket/runtime/errors";
import { eventually } from "@docket/runtime/testing/eventually";
import type { Person } from "./person.ts";

/** Follows changes from the moment it is made. */
export class Watcher {
  /** All that was seen, in the order in which it came. */
  readonly changes: Change[] = [];
  /** What ended the stream for good, if anything did. */
  fault: ConnectError | undefined;
  /** How often the stream was opened. */
  opened = 0;
  readonly #person: Person;
  readonly #request: MessageInitShape<typeof WatchChangesRequestSchema>;
  readonly #excused: (error: unknown) => boolean;
  #cursor = "";
  #stop = new AbortController();

  /** `excused` says which errors beside RESUME and UNAVAILABLE make it open the stream again. */
  constructor(
    person: Person,
    request: MessageInitShape<typeof WatchChangesRequestSchema>,
    excused: (error: unknown) => boolean = () => false,
  ) {
    this.#person = person;
    this.#request = request;
    this.#excused = excused;
    void this.#follow(this.#stop.signal);
  }

  /** Ends the stream at once, as a crash would. */
  kill(): void {
    this.#stop.abort();
  }

  /** Opens it again from the cursor that was kept. */
  resume(): void {
    this.#stop = new AbortController();
    void this.#follow(this.#stop.signal);
  }

  /** Waits until so many changes of a kind were seen. */
  async until(kind: ChangeKind, count: number): Promise<void> {
    await eventually(
      () => {
        if (this.fault !== undefined) throw this.fault;
        const found = this.changes.filter((change) => change.kind === kind).length;
        if (found < count) throw new Error(`saw ${found} of ${count} changes of kind ${kind}`);
      },
      { timeoutMs: 30_000 },
    );
  }

  async #follow(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        this.opened += 1;
        const stream = this.#person.changes.watchChanges({ ...this.#request, cursor: this.#cursor }, { signal });
        for await (const { changes, cursor } of stream) {
          if (signal.aborted) return;
          // Both at once, as one transaction would: what is not kept comes again.
          this.changes.push(...changes);
          this.#cursor = cursor;
        }
      } catch (error) {
        if (signal.aborted) return;
        const reason = reasonOf(error);
        if (reason === Reason.RESUME) continue;
        if (reason === Reason.UNAVAILABLE || this.#excused(error)) {
          await pause(50 + Math.random() * 100);
          continue;
        }
        this.fault = ConnectError.from(error);
        return;
      }
    }
  }
}
