// Every page of the portal, with the way to it. A page that is not in this list is looked at by nobody: add it here.

import type { Page } from "playwright-core";
import { workspaceName } from "../demo/people.ts";
import type { Clients } from "../person.ts";
import { submitSignIn } from "./page.ts";

/** Finds things of the demonstration by name. Throws a sentence when there is no such thing. */
export interface Finder {
  workspace(): Promise<string>;
  folder(name: string): Promise<string>;
  document(title: string): Promise<string>;
}

/** One page. */
export interface Place {
  /** What its screenshots are called. */
  readonly name: string;
  readonly path: string | ((find: Finder) => Promise<string>);
  /** Whether it is for those who are not signed in. */
  readonly anonymous?: boolean;
  /** What the server answers. Default: 200. */
  readonly status?: number;
  /** What to do once one is there, for example open a panel. */
  readonly act?: (page: Page) => Promise<void>;
}

const inWorkspace = (rest: string) => async (find: Finder) => `/w/${await find.workspace()}${rest}`;
const inFolder = (name: string) => async (find: Finder) => `/w/${await find.workspace()}/f/${await find.folder(name)}`;
const ofDocument = (title: string) => async (find: Finder) => `/d/${await find.document(title)}`;

export const places: readonly Place[] = [
  { name: "sign-in", path: "/sign-in", anonymous: true },
  {
    name: "sign-in-refused",
    path: "/sign-in",
    anonymous: true,
    act: async (page) => {
      await submitSignIn(page, { email: "nobody@example.com", password: "not the password" });
      await page
        .getByRole("alert")
        .filter({ hasText: /do not belong together/ })
        .first()
        .waitFor({ state: "attached", timeout: 10_000 });
    },
  },
  { name: "sign-up", path: "/sign-up", anonymous: true },
  { name: "invitation-invalid", path: "/invitations/no-such-invitation", anonymous: true },
  { name: "reset-password", path: "/reset-password", anonymous: true },
  { name: "reset-password-link", path: "/reset-password/no-such-link", anonymous: true },
  { name: "confirm", path: "/confirm/no-such-link", anonymous: true },
  { name: "home", path: "/" },
  { name: "documents", path: inWorkspace("") },
  { name: "folder", path: inFolder("Quay 4 renewal") },
  { name: "folder-photographs", path: inFolder("Site photographs") },
  { name: "trash", path: inWorkspace("/trash") },
  { name: "document-pdf", path: ofDocument("Quay 4 condition report") },
  { name: "document-image", path: ofDocument("Quay 4 at dawn") },
  { name: "document-drawing", path: ofDocument("Quay 4 cross-section") },
  { name: "document-markdown", path: ofDocument("Welcome to Harbour Works") },
  { name: "document-table", path: ofDocument("Schedule of works") },
  { name: "document-code", path: ofDocument("Sheet pile calculation") },
  { name: "document-text", path: ofDocument("Wind log") },
  { name: "document-video", path: ofDocument("A tide at quay 4") },
  { name: "document-audio", path: ofDocument("Hoist gearbox at full load") },
  { name: "document-office", path: ofDocument("Inspection checklist") },
  { name: "document-archive", path: ofDocument("Insurance certificates") },
  { name: "document-missing", path: "/d/018f0000-0000-7000-8000-000000000000", status: 404 },
  { name: "tasks", path: "/tasks" },
  { name: "settings", path: inWorkspace("/settings") },
  { name: "settings-members", path: inWorkspace("/settings/members") },
  { name: "settings-roles", path: inWorkspace("/settings/roles") },
  { name: "settings-invitations", path: inWorkspace("/settings/invitations") },
  { name: "settings-groups", path: inWorkspace("/settings/groups") },
  { name: "settings-applications", path: inWorkspace("/settings/applications") },
  { name: "settings-webhooks", path: inWorkspace("/settings/webhooks") },
  { name: "account", path: "/account" },
  { name: "account-sessions", path: "/account/sessions" },
  { name: "people-for-administrators", path: "/admin/users" },
  { name: "new-workspace", path: "/new-workspace" },
];

/** What is known of the services that a finder asks. */
type Asked = Pick<Clients, "workspaces" | "folders" | "documents">;

/** Asks as somebody who is signed in, each question once. */
export function finderOf(clients: Asked): Finder {
  const known = new Map<string, Promise<string>>();
  const once = (what: string, ask: () => Promise<string | undefined>) => {
    const answer =
      known.get(what) ??
      ask().then((id) => {
        if (id === undefined) throw new Error(`there is no ${what}; fill the data folder with --demo`);
        return id;
      });
    known.set(what, answer);
    return answer;
  };
  const workspace = () =>
    once(`workspace ${workspaceName}`, async () => {
      const { workspaces } = await clients.workspaces.listWorkspaces({ pageSize: 200 });
      return workspaces.find(({ name }) => name === workspaceName)?.id;
    });
  return {
    workspace,
    folder: (name) => once(`folder ${name}`, async () => await folderNamed(clients, await workspace(), name)),
    document: (title) =>
      once(`document ${title}`, async () => {
        const { documents } = await clients.documents.listDocuments({
          parent: { case: "workspaceId", value: await workspace() },
          anywhere: true,
          pageSize: 200,
        });
        return documents.find((each) => each.title === title)?.id;
      }),
  };
}

/** The first folder of that name, the upper ones first. */
async function folderNamed(clients: Asked, workspaceId: string, name: string): Promise<string | undefined> {
  const waiting: Parameters<Asked["folders"]["listFolders"]>[0][] = [
    { parent: { case: "workspaceId", value: workspaceId } },
  ];
  for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
    const { folders } = await clients.folders.listFolders({ ...next, pageSize: 200 });
    const found = folders.find((each) => each.name === name);
    if (found !== undefined) return found.id;
    for (const { id } of folders) waiting.push({ parent: { case: "folderId", value: id } });
  }
  return undefined;
}
