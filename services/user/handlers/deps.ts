import type { Tailer } from "@docket/runtime/changelog/tailer";
import type { Clock } from "@docket/runtime/clock";
import type { KeyRing } from "../credentials/key_ring.ts";
import type { Passwords } from "../credentials/passwords.ts";
import type { Vault } from "../credentials/vault.ts";
import type { Limits } from "../domain/limits.ts";
import type { Events } from "../events.ts";
import type { UserDatabase } from "../store/database.ts";

/** The rules that an operator sets. Times in milliseconds, sizes in bytes. */
export interface Rules {
  readonly signUp: "open" | "invitation";
  /** Whether mail can be sent. */
  readonly mail: boolean;
  /** Where links begin, without a slash at the end. */
  readonly publicUrl: () => string;
  readonly sessionIdleMs: number;
  readonly sessionLifeMs: number;
  /** 0: no limit. */
  readonly workspaceQuotaBytes: number;
  /** 0: no limit. */
  readonly maxFileBytes: number;
  readonly limits: Limits;
}

/** What handlers work with. */
export interface Deps {
  readonly db: UserDatabase;
  readonly clock: Clock;
  readonly rules: Rules;
  readonly passwords: Passwords;
  readonly keys: KeyRing;
  readonly vault: Vault;
  readonly events: Events;
  readonly tailer: Tailer;
}
