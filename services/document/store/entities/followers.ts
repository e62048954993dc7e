// How far this service is in the logs of others.
import { defineEntity, p } from "@docket/runtime/db/schema";

export const FollowerEntity = defineEntity({
  name: "Follower",
  tableName: "follower",
  properties: {
    /** Whose log. */
    name: p.string().length(40).primary(),
    /** The cursor of the last changes that were applied. */
    position: p.string().length(64),
  },
});
