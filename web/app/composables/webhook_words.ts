// Webhooks in words: which changes they are told, how they are, and what came of a delivery.

import { ChangeKind } from "@docket/contracts/gen/docket/document/v1/change_pb.ts";
import {
  type Delivery,
  DeliveryFailure,
  DeliveryState,
} from "@docket/contracts/gen/docket/integration/v1/delivery_pb.ts";
import {
  type Webhook,
  WebhookDisabledReason,
  WebhookState,
} from "@docket/contracts/gen/docket/integration/v1/webhook_pb.ts";

const areas = ["DOCUMENT", "VERSION", "FOLDER", "TASK", "COMMENT", "GRANT"] as const;
export type ChangeArea = (typeof areas)[number];

/** The kinds of changes in the groups in which one chooses them. */
export const changeAreas: readonly { readonly area: ChangeArea; readonly kinds: readonly ChangeKind[] }[] = areas.map(
  (area) => ({
    area,
    kinds: Object.entries(ChangeKind).flatMap(([name, kind]) =>
      name.startsWith(`${area}_`) && typeof kind === "number" ? [kind] : [],
    ),
  }),
);

/** The areas that a filter tells wholly; of one without kinds all. */
export function areasOf(kinds: readonly ChangeKind[]): ChangeArea[] {
  return changeAreas
    .filter((each) => kinds.length === 0 || each.kinds.every((kind) => kinds.includes(kind)))
    .map(({ area }) => area);
}

/** The kinds that a filter must hold to tell these areas; empty: all. */
export function kindsOf(chosen: readonly ChangeArea[]): ChangeKind[] {
  if (chosen.length === areas.length) return [];
  return changeAreas.flatMap(({ area, kinds }) => (chosen.includes(area) ? [...kinds] : []));
}

/** The key of an area's words. */
export function areaKey(area: ChangeArea) {
  const keys = {
    DOCUMENT: "documents",
    VERSION: "versions",
    FOLDER: "folders",
    TASK: "tasks",
    COMMENT: "comments",
    GRANT: "sharing",
  } as const satisfies Record<ChangeArea, string>;
  return `webhooks.area.${keys[area]}` as const;
}

/** How a kind of change is called in the contract, since that is what receivers read. */
export function kindName(kind: ChangeKind): string {
  return Object.entries(ChangeKind).find(([, value]) => value === kind)?.[0] ?? String(kind);
}

const disabledWords = new Map<WebhookDisabledReason, TextKey>([
  [WebhookDisabledReason.GONE, "webhooks.disabled.gone"],
  [WebhookDisabledReason.FAILING, "webhooks.disabled.failing"],
  [WebhookDisabledReason.BACKLOG, "webhooks.disabled.backlog"],
]);

/** How a webhook is: in a word, with a colour, and why where it matters. */
export function webhookStanding(webhook: Webhook) {
  if (webhook.state === WebhookState.PAUSED) return { key: "webhooks.state.paused", color: "neutral" } as const;
  if (webhook.state === WebhookState.DISABLED) {
    return { key: "webhooks.state.disabled", color: "error", why: disabledWords.get(webhook.disabledReason) } as const;
  }
  if (webhook.failingSince) return { key: "webhooks.state.failing", color: "warning" } as const;
  return { key: "webhooks.state.active", color: "success" } as const;
}

const failureWords = new Map<DeliveryFailure, TextKey>([
  [DeliveryFailure.STATUS, "webhooks.failure.status"],
  [DeliveryFailure.REDIRECT, "webhooks.failure.redirect"],
  [DeliveryFailure.REFUSED, "webhooks.failure.refused"],
  [DeliveryFailure.NAME, "webhooks.failure.name"],
  [DeliveryFailure.CONNECTION, "webhooks.failure.connection"],
  [DeliveryFailure.TLS, "webhooks.failure.tls"],
  [DeliveryFailure.TIMEOUT, "webhooks.failure.timeout"],
  [DeliveryFailure.PROTOCOL, "webhooks.failure.protocol"],
]);

/** What came of a delivery's last attempt; undefined where there was none. */
export function attemptSentence({ lastAttempt }: Delivery) {
  if (lastAttempt === undefined) return undefined;
  const { failure, status } = lastAttempt;
  if (failure === DeliveryFailure.UNSPECIFIED) return { key: "webhooks.answered", values: { status } } as const;
  return { key: failureWords.get(failure) ?? ("webhooks.failure.connection" as TextKey), values: { status } } as const;
}

/** The icon of a delivery's state. */
export function deliveryIcon({ state }: Delivery): { readonly name: string; readonly class: string } {
  if (state === DeliveryState.DELIVERED) return { name: "i-lucide-check", class: "text-success" };
  if (state === DeliveryState.PARKED) return { name: "i-lucide-circle-x", class: "text-error" };
  return { name: "i-lucide-clock", class: "text-muted" };
}
