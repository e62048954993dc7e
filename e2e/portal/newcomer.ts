// People with a workspace of their own, for tests that change things: the demonstration is only looked at.

import { randomBytes } from "node:crypto";
import { handOf, upload } from "../demo/client.ts";
import { type Person, signUp } from "../person.ts";
import { portalUrl } from "./world.ts";

/** Somebody new, with a workspace in which nothing is. */
export interface Newcomer extends Person {
  readonly displayName: string;
  readonly workspaceId: string;
  readonly workspaceName: string;
}

/** Signs somebody up whose name, and all that they name, occurs nowhere else. */
export async function newcomer(name: string): Promise<Newcomer> {
  const displayName = `${name} ${mark()}`;
  const person = await signUp(portalUrl(), displayName.replaceAll(" ", "-"));
  const workspaceName = `Office ${mark()}`;
  const { workspace } = await person.workspaces.createWorkspace({ name: workspaceName });
  return { ...person, displayName, workspaceId: workspace?.id ?? "", workspaceName };
}

/** A word that nobody else has said. */
export function mark(): string {
  return randomBytes(6).toString("hex");
}

/** What a document is made of. */
export interface Made {
  readonly title: string;
  readonly text?: string;
  readonly folderId?: string;
}

/** Puts a small text into somebody's workspace; gives the document's id. */
export async function makeDocument(
  { documents, url, secret, workspaceId }: Newcomer,
  { title, text = title, folderId }: Made,
): Promise<string> {
  const bytes = new Uint8Array(Buffer.from(text));
  const uploadId = await upload(handOf(url, secret), { workspaceId, name: "note.txt", mediaType: "text/plain", bytes });
  const { document } = await documents.createDocument({
    parent:
      folderId === undefined ? { case: "workspaceId", value: workspaceId } : { case: "folderId", value: folderId },
    uploadId,
    title,
  });
  return document?.id ?? "";
}

/** Asks for a page as that person's browser does first, before any script runs. */
export async function firstAnswer(path: string, person?: Pick<Person, "secret">): Promise<Response> {
  const cookie = person && { cookie: `docket=${person.secret}` };
  return await fetch(new URL(path, portalUrl()), { redirect: "manual", headers: { accept: "text/html", ...cookie } });
}
