// What is stored, counted through the public lists: bad input must leave nothing behind.

import type { World } from "../matrix/world.ts";

interface Page {
  readonly nextPageToken: string;
}

/** How many things of each kind the workspace holds, as its owner sees it. */
export async function countRows(world: World): Promise<Record<string, number>> {
  const { owner, administrator } = world.actors;
  const { clients } = owner;
  const { workspaceId, folderId, documentId, applicationId, groupId } = world;
  const here = { workspaceId, pageSize: 200 };
  const workspace = { case: "workspaceId" as const, value: workspaceId };
  const folder = { case: "folderId" as const, value: folderId };
  const document = { case: "documentId" as const, value: documentId };
  const lists = {
    documents: count(
      (page) => clients.documents.listDocuments({ parent: workspace, anywhere: true, pageSize: 200, ...page }),
      (answer) => answer.documents,
    ),
    trash: count(
      (page) => clients.documents.listDocuments({ parent: workspace, trashed: true, pageSize: 200, ...page }),
      (answer) => answer.documents,
    ),
    folders: count(
      (page) => clients.folders.listFolders({ parent: workspace, pageSize: 200, ...page }),
      (answer) => answer.folders,
    ),
    "folders within": count(
      (page) => clients.folders.listFolders({ parent: folder, pageSize: 200, ...page }),
      (answer) => answer.folders,
    ),
    versions: count(
      (page) => clients.versions.listVersions({ documentId, pageSize: 200, ...page }),
      (answer) => answer.versions,
    ),
    tasks: count(
      (page) => clients.tasks.listTasks({ place: workspace, pageSize: 200, ...page }),
      (answer) => answer.tasks,
    ),
    comments: count(
      (page) => clients.comments.listComments({ subject: document, pageSize: 200, ...page }),
      (answer) => answer.comments,
    ),
    grants: count(
      (page) => clients.grants.listGrants({ resource: folder, pageSize: 200, ...page }),
      (answer) => answer.grants,
    ),
    subscriptions: count(
      (page) => clients.changes.listSubscriptions({ ...here, ...page }),
      (answer) => answer.subscriptions,
    ),
    webhooks: count(
      (page) => clients.webhooks.listWebhooks({ ...here, ...page }),
      (answer) => answer.webhooks,
    ),
    uploads: count(
      (page) => clients.uploads.listUploads({ pageSize: 200, ...page }),
      (answer) => answer.uploads,
    ),
    members: count(
      (page) => clients.workspaces.listMembers({ ...here, ...page }),
      (answer) => answer.members,
    ),
    invitations: count(
      (page) => clients.workspaces.listInvitations({ ...here, ...page }),
      (answer) => answer.invitations,
    ),
    workspaces: count(
      (page) => clients.workspaces.listWorkspaces({ pageSize: 200, ...page }),
      (answer) => answer.workspaces,
    ),
    roles: count(
      (page) => clients.roles.listRoles({ ...here, ...page }),
      (answer) => answer.roles,
    ),
    bindings: count(
      (page) => clients.roles.listRoleBindings({ ...here, ...page }),
      (answer) => answer.bindings,
    ),
    groups: count(
      (page) => clients.groups.listGroups({ ...here, ...page }),
      (answer) => answer.groups,
    ),
    "group members": count(
      (page) => clients.groups.listGroupMembers({ ...here, groupId, ...page }),
      (answer) => answer.members,
    ),
    applications: count(
      (page) => clients.keys.listApplications({ ...here, ...page }),
      (answer) => answer.applications,
    ),
    keys: count(
      (page) => clients.keys.listApiKeys({ ...here, applicationId, ...page }),
      (answer) => answer.keys,
    ),
    accounts: count(
      (page) => administrator.clients.users.listUsers({ pageSize: 200, ...page }),
      (answer) => answer.users,
    ),
  };
  const counts: Record<string, number> = {};
  for (const [name, counting] of Object.entries(lists)) counts[name] = await counting;
  return counts;
}

async function count<T extends Page>(
  list: (page: { pageToken: string }) => Promise<T>,
  rows: (answer: T) => readonly unknown[],
): Promise<number> {
  let sum = 0;
  let pageToken = "";
  do {
    const answer = await list({ pageToken });
    sum += rows(answer).length;
    pageToken = answer.nextPageToken;
  } while (pageToken !== "");
  return sum;
}
