// What one cell needs: fresh things to try its request on, made by the subject itself where the contract lets it, else by
// the workspace's owner.

import { Permission as P, type Permission, ResourceKind } from "@docket/contracts/gen/docket/policy/v1/policy_pb.ts";
import { PrincipalKind } from "@docket/contracts/gen/docket/user/v1/principal_pb.ts";
import { holds, type Relation } from "./declared.ts";
import { type Actor, roleGives, roleOf } from "./subjects.ts";
import { storeUpload, writePart } from "./uploads.ts";
import { join, next, roleIds, type World } from "./world.ts";

/** Somebody who made a thing, and what the thing is to the subject. */
export interface Made {
  readonly id: string;
  readonly relation: Relation;
}

/** Where webhooks of the matrix go: a name that stands for nothing (RFC 6761). */
export const webhookUrl = "https://receiver.invalid/hook";

export class Room {
  readonly world: World;
  readonly subject: Actor;

  constructor(world: World, subject: Actor) {
    this.world = world;
    this.subject = subject;
  }

  get owner(): Actor {
    return this.world.actors.owner;
  }

  get workspaceId(): string {
    return this.world.workspaceId;
  }

  /** A name that nothing else has. */
  name(): string {
    return `Thing ${next()}`;
  }

  /** The subject where it may do this to what lies in the folder, else the owner. */
  maker(permission: Permission): Actor {
    const may = holds(this.subject.name, ResourceKind.DOCUMENT, permission, undefined).allowed;
    return may && this.#hasScopes(permission) ? this.subject : this.owner;
  }

  /** The subject where its role in the workspace gives this, else the owner. */
  roleMaker(permission: Permission): Actor {
    return roleGives(this.subject.name, permission) && this.#hasScopes(permission) ? this.subject : this.owner;
  }

  #hasScopes(permission: Permission): boolean {
    return this.subject.kind !== "key" || this.subject.scopes.includes(permission);
  }

  relationOf(maker: Actor): Relation {
    return maker === this.subject ? "own" : "foreign";
  }

  async folder(): Promise<string> {
    const { folder } = await this.owner.clients.folders.createFolder({
      parent: { case: "folderId", value: this.world.folderId },
      name: this.name(),
    });
    return folder?.id ?? "";
  }

  async trashedFolder(): Promise<string> {
    const folderId = await this.folder();
    await this.owner.clients.folders.deleteFolder({ folderId });
    return folderId;
  }

  async document(): Promise<string> {
    const { document } = await this.owner.clients.documents.createDocument({
      parent: { case: "folderId", value: this.world.folderId },
      uploadId: await storeUpload(this.owner, this.workspaceId),
    });
    return document?.id ?? "";
  }

  async trashedDocument(): Promise<string> {
    const documentId = await this.document();
    await this.owner.clients.documents.deleteDocument({ documentId });
    return documentId;
  }

  /** A stored upload that may become a version, made by who will attach it. */
  async storedUpload(): Promise<string> {
    return await storeUpload(this.roleMaker(P.UPLOAD_CREATE), this.workspaceId);
  }

  /** An upload of the subject's own in some state. */
  async upload(make: (actor: Actor, workspaceId: string) => Promise<string>): Promise<Made> {
    const maker = this.roleMaker(P.UPLOAD_CREATE);
    return { id: await make(maker, this.workspaceId), relation: this.relationOf(maker) };
  }

  async part(): Promise<string> {
    return await writePart(this.roleMaker(P.UPLOAD_CREATE));
  }

  /** A task on the document, assigned to the subject where it is a person of the workspace and this is wanted. */
  async task(assigned = false): Promise<string> {
    const { task } = await this.owner.clients.tasks.createTask({
      place: { case: "documentId", value: this.world.documentId },
      title: this.name(),
      ...(assigned ? this.#assignee() : {}),
    });
    return task?.id ?? "";
  }

  /** A task that stands alone in the workspace. */
  async aloneTask(assigned = false): Promise<string> {
    const { task } = await this.owner.clients.tasks.createTask({
      place: { case: "workspaceId", value: this.workspaceId },
      title: this.name(),
      ...(assigned ? this.#assignee() : {}),
    });
    return task?.id ?? "";
  }

  /** Whether tasks can be assigned to the subject. */
  get assignable(): boolean {
    return this.subject.kind === "person" && roleOf[this.subject.name] !== undefined;
  }

  #assignee() {
    if (!this.assignable) return {};
    return { assignee: { assignee: { case: "personId" as const, value: this.subject.id } } };
  }

  /** A comment on the document, the subject's own where it may comment. */
  async comment(maker = this.maker(P.DOCUMENT_COMMENT)): Promise<string> {
    const { comment } = await maker.clients.comments.createComment({
      subject: { case: "documentId", value: this.world.documentId },
      body: "The tide is out.",
    });
    return comment?.id ?? "";
  }

  /** An operation that the subject began where it may, else the owner. */
  async operation(): Promise<Made> {
    const documentId = await this.trashedDocument();
    const maker = this.maker(P.DOCUMENT_OWN);
    const { operation } = await maker.clients.documents.purgeDocument({ documentId });
    return { id: operation?.id ?? "", relation: this.relationOf(maker) };
  }

  /** An archive of the document, the subject's own where its role lets it make one. */
  async archive(): Promise<Made> {
    const maker = this.roleMaker(P.WORKSPACE_VIEW);
    const { workspaceId, world } = this;
    const { archive } = await maker.clients.archives.createArchive({ workspaceId, documentIds: [world.documentId] });
    return { id: archive?.id ?? "", relation: this.relationOf(maker) };
  }

  async subscription(): Promise<Made> {
    const maker = this.roleMaker(P.CHANGE_WATCH);
    const { subscription } = await maker.clients.changes.createSubscription({
      workspaceId: this.workspaceId,
      name: `consumer-${next()}`,
    });
    return { id: subscription?.id ?? "", relation: this.relationOf(maker) };
  }

  /** A webhook of the workspace. */
  async webhook(): Promise<string> {
    const { webhook } = await this.owner.clients.webhooks.createWebhook({
      workspaceId: this.workspaceId,
      name: this.name(),
      url: webhookUrl,
    });
    return webhook?.id ?? "";
  }

  /** A ping that was sent to a webhook. */
  async delivery(): Promise<{ webhookId: string; deliveryId: string }> {
    const webhookId = await this.webhook();
    const { delivery } = await this.owner.clients.webhooks.pingWebhook({ webhookId });
    return { webhookId, deliveryId: delivery?.id ?? "" };
  }

  /** A ticket to read the document, the subject's own where it may see it. */
  async ticket(): Promise<Made> {
    const maker = this.maker(P.DOCUMENT_VIEW);
    const { ticket } = await maker.clients.versions.createDownloadTicket({ documentId: this.world.documentId });
    return { id: ticket, relation: this.relationOf(maker) };
  }

  async group(): Promise<string> {
    const { group } = await this.owner.clients.groups.createGroup({ workspaceId: this.workspaceId, name: this.name() });
    return group?.id ?? "";
  }

  async role(): Promise<string> {
    const { workspaceId } = this;
    const wanted = { workspaceId, name: this.name(), permissions: [P.WORKSPACE_VIEW] };
    const { role } = await this.owner.clients.roles.createRole(wanted);
    return role?.id ?? "";
  }

  async application(): Promise<string> {
    const wanted = { workspaceId: this.workspaceId, name: this.name() };
    const { application } = await this.owner.clients.keys.enrollApplication(wanted);
    return application?.id ?? "";
  }

  async key(): Promise<{ keyId: string; secretId: string }> {
    const { key } = await this.owner.clients.keys.createApiKey({
      workspaceId: this.workspaceId,
      applicationId: await this.application(),
      name: this.name(),
      scopes: [P.WORKSPACE_VIEW],
    });
    return { keyId: key?.id ?? "", secretId: key?.secrets[0]?.id ?? "" };
  }

  async invitation(workspaceId = this.workspaceId, maker = this.owner): Promise<{ id: string; secret: string }> {
    const wanted = { workspaceId, roleId: roleIds.guest };
    const { invitation, secret } = await maker.clients.workspaces.createInvitation(wanted);
    return { id: invitation?.id ?? "", secret };
  }

  /** Somebody new, in no workspace. */
  async person(): Promise<Actor> {
    return await this.world.person(this.subject.name);
  }

  /** Somebody new in the workspace. */
  async memberOfWorkspace(): Promise<Actor> {
    const actor = await this.person();
    await join(this.owner, actor, this.workspaceId, roleIds.member);
    return actor;
  }

  /** A workspace of somebody else's that nothing is in. */
  async foundedWorkspace(): Promise<string> {
    const { founder } = this.world.extras;
    const { workspace } = await founder.clients.workspaces.createWorkspace({ name: this.name() });
    return workspace?.id ?? "";
  }

  /** Another workspace, in which a person has the role that it has in this one. */
  async workspaceOfItsOwn(): Promise<string> {
    const workspaceId = await this.foundedWorkspace();
    const role = roleOf[this.subject.name];
    if (this.subject.kind === "person" && role !== undefined) {
      await join(this.world.extras.founder, this.subject, workspaceId, roleIds[role === "contractor" ? "guest" : role]);
    }
    return workspaceId;
  }

  personPrincipal(id: string) {
    return { kind: PrincipalKind.PERSON, id };
  }
}
