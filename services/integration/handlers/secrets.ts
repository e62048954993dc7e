// WebhookService: secrets. They lie encrypted in the database, are shown when they are made, and never again.
import { randomBytes } from "node:crypto";
import { create } from "@bufbuild/protobuf";
import { durationMs } from "@bufbuild/protobuf/wkt";
import type { ServiceImpl } from "@connectrpc/connect";
import { Reason } from "@docket/contracts/gen/docket/error/v1/reason_pb.ts";
import {
  RotateWebhookSecretResponseSchema,
  WebhookService,
} from "@docket/contracts/gen/docket/integration/v1/webhook_service_pb.ts";
import { subjectOf } from "@docket/runtime/call";
import { idempotent } from "@docket/runtime/db/request_record";
import { AppError } from "@docket/runtime/errors";
import { newId } from "@docket/runtime/ids";
import { formatSecret, secretBytes } from "../domain/signature.ts";
import type { Tx } from "../store/entities.ts";
import { expireSecret, insertSecret, liveSecrets, removeSecrets, updateWebhook } from "../store/webhooks.ts";
import { type Deps, webhookOf } from "./deps.ts";
import { webhookMessage } from "./messages.ts";

/** How long the old secret signs when nobody says how long, in milliseconds. */
const keptMs = 24 * 3_600_000;

/** What is kept of an answer holds no secret, and a replay is told so. */
export const shownOnce = {
  recheck({ webhook }: { webhook?: { id: string } | undefined }): never {
    throw new AppError(Reason.SECRET_ALREADY_SHOWN, { metadata: { id: webhook?.id ?? "" } });
  },
};

/** Makes a secret and answers its text. */
export async function addSecret({ sealer }: Pick<Deps, "sealer">, tx: Tx, webhookId: string, now: number) {
  const secret = randomBytes(secretBytes);
  const row = { webhook_id: webhookId, id: newId(), created_at: now, expires_at: null };
  await insertSecret(tx, { ...row, sealed: sealer.seal(secret) });
  return formatSecret(secret);
}

export function secretHandlers(deps: Deps): Pick<ServiceImpl<typeof WebhookService>, "rotateWebhookSecret"> {
  const { db, clock, events } = deps;
  return {
    async rotateWebhookSecret(request, context) {
      const { webhookId } = request;
      const call = {
        ...shownOnce,
        subject: subjectOf(context),
        method: WebhookService.method.rotateWebhookSecret,
        requestId: request.requestId,
        request,
        now: clock,
        keep: () => create(RotateWebhookSecretResponseSchema, { webhook: { id: webhookId } }),
      };
      const response = await idempotent(db, call, async (tx) => {
        const now = clock().getTime();
        const row = await webhookOf(tx, webhookId);
        // Of two rotations at once, the second sees what the first did.
        if (!(await updateWebhook(tx, row, {}, now))) throw new AppError(Reason.CONFLICT);
        const [newest, ...older] = await liveSecrets(tx, [webhookId], now);
        const until = now + (request.keepOld === undefined ? keptMs : durationMs(request.keepOld));
        const ended = until > now ? older : [...older, ...(newest === undefined ? [] : [newest])];
        const ids = ended.map(({ id }) => id);
        await removeSecrets(tx, webhookId, ids);
        if (newest !== undefined && until > now) await expireSecret(tx, newest, until);
        const secret = await addSecret(deps, tx, webhookId, now);
        const webhook = await webhookMessage(tx, await webhookOf(tx, webhookId), now);
        return create(RotateWebhookSecretResponseSchema, { webhook, secret });
      });
      events.secretRotated(webhookId);
      return response;
    },
  };
}
