// How far this service is in the logs of others.
import { countColumn, defineEntity, idColumn, p } from "@docket/runtime/db/schema";

/** Of the document service's log: one row for each workspace that has webhooks. */
export const FeedEntity = defineEntity({
  name: "Feed",
  tableName: "feed",
  properties: {
    workspaceId: idColumn().primary(),
    /** The number of the last change whose deliveries were made. */
    place: countColumn(),
  },
});

/** Of the logs that are followed as a whole. */
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
