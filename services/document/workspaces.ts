// Which workspaces a subject belongs to, as the user service says.
import { type Call, forwardCall, type Subject } from "@docket/runtime/call";
import type { Clients } from "./clients.ts";

/** More than anybody has; a list that never ends must not hold up a call. */
const mostPages = 10;

/** The ids of all workspaces of a subject, by name; of a key its one. */
export async function workspacesOf(
  { workspaces }: Pick<Clients, "workspaces">,
  call: Call,
  subject: Subject,
): Promise<string[]> {
  if (subject.workspaceId !== undefined) return [subject.workspaceId];
  const ids: string[] = [];
  let pageToken = "";
  for (let page = 0; page < mostPages; page += 1) {
    const answer = await workspaces.listWorkspaces({ pageSize: 200, pageToken }, forwardCall(call));
    ids.push(...answer.workspaces.map(({ id }) => id));
    pageToken = answer.nextPageToken;
    if (pageToken === "") break;
  }
  return ids;
}
