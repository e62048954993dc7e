// Errors in words: what went wrong, what to do, which request it was, and whether trying again makes sense.

import { Code, ConnectError } from "@connectrpc/connect";
import { ErrorInfoSchema, type FieldViolation } from "@docket/contracts/gen/docket/error/v1/error_info_pb.ts";
import { Reason, ReasonSchema } from "@docket/contracts/gen/docket/error/v1/reason_pb.ts";

/** What is shown of an error. A plain object, so that it crosses from the server's page to the browser. */
export interface Fault {
  /** A sentence for people. */
  readonly message: string;
  readonly reason: Reason;
  /** The id under which the server logged it; empty when the server was not reached. */
  readonly requestId: string;
  /** Whether the same may go well in a moment. */
  readonly retryable: boolean;
  /** How long to wait first, in milliseconds. */
  readonly retryAfterMs: number;
  /** Which fields of the request are wrong, and why. */
  readonly violations: readonly Pick<FieldViolation, "field" | "description">[];
  /** What the reason says beside itself, such as the limit that was reached. */
  readonly metadata: Readonly<Record<string, string>>;
}

const retryableReasons = new Set<Reason>([
  Reason.UNSPECIFIED,
  Reason.INTERNAL,
  Reason.UNAVAILABLE,
  Reason.DEADLINE_EXCEEDED,
  Reason.RATE_LIMITED,
  Reason.OVERLOADED,
  Reason.CONFLICT,
  Reason.RESUME,
]);

/** The reason of an error of a call; UNSPECIFIED when the server was not reached. */
export function reasonOf(error: unknown): Reason {
  return infoOf(error)?.reason ?? Reason.UNSPECIFIED;
}

/** Reads any error that a call, or code around it, has thrown. */
export function useFaults() {
  const { t, te } = useI18n();
  const toast = useToast();

  function faultOf(error: unknown): Fault {
    const info = infoOf(error);
    const reason = info?.reason ?? Reason.UNSPECIFIED;
    const own = `faults.${ReasonSchema.value[reason]?.localName ?? ""}`;
    const { seconds = 0n, nanos = 0 } = info?.retryAfter ?? {};
    return {
      message: te(own) ? t(own, info?.metadata ?? {}) : info === undefined ? t(unreached(error)) : sentenceOf(error),
      reason,
      requestId: info?.requestId ?? "",
      retryable: retryableReasons.has(reason),
      retryAfterMs: Number(seconds) * 1000 + nanos / 1e6,
      violations: (info?.violations ?? []).map(({ field, description }) => ({ field, description })),
      metadata: { ...info?.metadata },
    };
  }

  /** Says it in a corner; for what was done in passing, where no place in the page can hold the words. */
  function showFault(error: unknown, title?: string): void {
    const { message, requestId } = faultOf(error);
    const tail = requestId === "" ? "" : ` ${t("request", { id: requestId })}`;
    toast.add({
      color: "error",
      icon: "i-lucide-circle-alert",
      title: title ?? t("failed"),
      description: message + tail,
    });
  }

  return { faultOf, showFault };
}

function infoOf(error: unknown) {
  return error instanceof ConnectError ? error.findDetails(ErrorInfoSchema)[0] : undefined;
}

function sentenceOf(error: unknown): string {
  return ConnectError.from(error).rawMessage;
}

/** Without details it was not Docket that answered: the network, or something in front. */
function unreached(error: unknown): "offline" | "unreachable" | "unexpected" {
  if (import.meta.client && !navigator.onLine) return "offline";
  return error instanceof ConnectError && error.code !== Code.Unknown ? "unreachable" : "unexpected";
}
