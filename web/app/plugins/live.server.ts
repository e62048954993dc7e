// Takes the place in the log before a page asks for anything, so that the browser hears of all that changes after it.

import { ChangeService } from "@docket/contracts/gen/docket/document/v1/change_service_pb.ts";

export default defineNuxtPlugin(async () => {
  if (!useRequestHeader("cookie")) return;
  const made = useState<{ userId: string; cursor: string } | undefined>("live-cursor", () => undefined);
  const changes = useClient(ChangeService);
  const { load } = useSession();
  // Without a place the browser asks for lists anew once it is connected; whether somebody is there, and whether the
  // edge is, is found out again where it matters.
  const [place, visitor] = await Promise.allSettled([changes.listChanges({ pageSize: 1 }), load()]);
  if (place.status !== "fulfilled" || visitor.status !== "fulfilled" || visitor.value === null) return;
  made.value = { userId: visitor.value.user.id, cursor: place.value.cursor };
});
