import { create } from "@bufbuild/protobuf";
import type { ConnectRouter } from "@connectrpc/connect";
import { ChangeKind } from "@docket/contracts/gen/docket/document/v1/change_pb.ts";
import { Reason } from "@docket/contracts/gen/docket/error/v1/reason_pb.ts";
import {
  DeliveryFailure,
  DeliverySchema,
  DeliveryState,
} from "@docket/contracts/gen/docket/integration/v1/delivery_pb.ts";
import {
  WebhookDisabledReason,
  WebhookSchema,
  WebhookState,
} from "@docket/contracts/gen/docket/integration/v1/webhook_pb.ts";
import { WebhookService } from "@docket/contracts/gen/docket/integration/v1/webhook_service_pb.ts";
import { flushPromises } from "@vue/test-utils";
import { describe, expect, it, vi } from "vitest";
import WebhookDialog from "~/components/settings/WebhookDialog.vue";
import WebhookPanel from "~/components/settings/WebhookPanel.vue";
import { areasOf, changeAreas, kindsOf, webhookStanding } from "~/composables/webhook_words.ts";
import { openPortal, refusal, requestsOf } from "./portal.ts";

const webhook = create(WebhookSchema, {
  id: "01900000-0000-7000-8000-000000000001",
  name: "CRM",
  url: "https://crm.example.com/docket",
  state: WebhookState.ACTIVE,
  etag: "r1",
});
const failed = create(DeliverySchema, {
  id: "01900000-0000-7000-8000-000000000002",
  kind: ChangeKind.DOCUMENT_CREATED,
  state: DeliveryState.PARKED,
  attemptCount: 12,
  lastAttempt: { status: 503, failure: DeliveryFailure.STATUS },
});
const pinged = create(DeliverySchema, {
  kind: ChangeKind.PING,
  state: DeliveryState.DELIVERED,
  lastAttempt: { status: 204 },
});

const settle = async () => {
  for (let turn = 0; turn < 20; turn += 1) await flushPromises();
};
const button = (words: string) =>
  [...document.querySelectorAll("button")].find(
    (each) => each.textContent?.trim() === words || each.getAttribute("aria-label") === words,
  ) as HTMLButtonElement;
const field = (name: string) => document.querySelector(`input[name="${name}"]`) as HTMLInputElement;
const fill = (name: string, value: string) => {
  field(name).value = value;
  field(name).dispatchEvent(new Event("input"));
};
const send = async () => {
  document.querySelector("form")?.dispatchEvent(new Event("submit", { cancelable: true }));
  await settle();
};

describe("which changes a webhook is told", () => {
  it("is chosen in areas, of which all together are no filter", () => {
    const all = changeAreas.map(({ area }) => area);
    expect(kindsOf(all)).toEqual([]);
    expect(areasOf([])).toEqual(all);
    expect(areasOf(kindsOf(["DOCUMENT", "TASK"]))).toEqual(["DOCUMENT", "TASK"]);
    expect(kindsOf(["GRANT"])).toEqual([ChangeKind.GRANT_SET, ChangeKind.GRANT_REVOKED]);
    // One kind of several is no whole area.
    expect(areasOf([ChangeKind.TASK_CREATED])).toEqual([]);
  });
});

describe("how a webhook is", () => {
  it("is said in a word, and why where Docket has stopped it", () => {
    const standing = (more: object) => webhookStanding(create(WebhookSchema, { ...webhook, ...more }));
    expect(standing({}).key).toBe("webhooks.state.active");
    expect(standing({ failingSince: { seconds: 1n } }).key).toBe("webhooks.state.failing");
    expect(standing({ state: WebhookState.PAUSED }).key).toBe("webhooks.state.paused");
    const disabled = { state: WebhookState.DISABLED, disabledReason: WebhookDisabledReason.GONE };
    expect(standing(disabled)).toMatchObject({ key: "webhooks.state.disabled", why: "webhooks.disabled.gone" });
  });
});

describe("the dialog of a webhook", () => {
  it("gives name, address and kinds, and says beside the address why it is refused", async () => {
    await using portal = await openPortal();
    const save = vi.fn(async (values: { url: string }) => {
      if (values.url.includes("localhost"))
        throw refusal(Reason.WEBHOOK_URL_REFUSED, { metadata: { rule: "address" } });
    });
    await portal.mount(WebhookDialog, { props: { save } });
    await settle();
    fill("name", " CRM ");
    fill("url", "https://localhost/hook");
    await settle();
    await send();
    expect(document.body.textContent).toContain("Webhooks cannot go there");
    fill("url", "https://crm.example.com/hook");
    await settle();
    await send();
    expect(save).toHaveBeenLastCalledWith(
      { name: "CRM", url: "https://crm.example.com/hook", kinds: [] },
      expect.any(String),
    );
    // Another question is another request.
    expect(save.mock.calls[0]?.[1 as never]).not.toBe(save.mock.calls[1]?.[1 as never]);
  });
});

describe("the panel of a webhook", () => {
  const routes = (router: ConnectRouter) =>
    router.service(WebhookService, {
      listDeliveries: () => ({ deliveries: [failed] }),
      pingWebhook: () => ({ delivery: pinged }),
      redeliverDelivery: () => ({ delivery: failed }),
      resumeWebhook: () => ({ webhook }),
    });

  it("shows what was delivered and why not, and sends it again", async () => {
    await using portal = await openPortal({ routes });
    const panel = await portal.mount(WebhookPanel, { props: { webhook } });
    await settle();
    expect(document.body.textContent).toContain("DOCUMENT_CREATED");
    expect(document.body.textContent).toContain("Refused with 503");
    expect(document.body.textContent).toContain("12 attempts");
    button("Send DOCUMENT_CREATED again").click();
    await settle();
    const ids = { webhookId: webhook.id, deliveryId: failed.id };
    expect(requestsOf(portal.calls, WebhookService.method.redeliverDelivery)).toMatchObject([ids]);
    expect(panel.emitted("changed")).toHaveLength(1);
  });

  it("sends a test", async () => {
    await using portal = await openPortal({ routes });
    await portal.mount(WebhookPanel, { props: { webhook } });
    await settle();
    button("Send a test").click();
    await settle();
    expect(requestsOf(portal.calls, WebhookService.method.pingWebhook)).toMatchObject([{ webhookId: webhook.id }]);
  });

  it("makes one go on that Docket has stopped, and says why it was", async () => {
    await using portal = await openPortal({ routes });
    const disabled = { state: WebhookState.DISABLED, disabledReason: WebhookDisabledReason.GONE };
    await portal.mount(WebhookPanel, { props: { webhook: create(WebhookSchema, { ...webhook, ...disabled }) } });
    await settle();
    expect(document.body.textContent).toContain("it is gone (410)");
    button("Resume").click();
    await settle();
    const resumed = requestsOf(portal.calls, WebhookService.method.resumeWebhook);
    expect(resumed).toMatchObject([{ webhookId: webhook.id, redeliverParked: false }]);
  });
});
