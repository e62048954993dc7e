// What a subject may see of a workspace now: asked once for each subject, epoch and resource, and forgotten with the
// epoch. An epoch is what the user service says of the workspace, together with the last change of access in the log.
import { Permission } from "@docket/contracts/gen/docket/policy/v1/policy_pb.ts";
import type { Call, Subject } from "@docket/runtime/call";
import type { Membership, MembershipCache } from "@docket/runtime/membership";
import type { DocumentAuthorizer, Standpoint } from "../authorizer.ts";
import { accessOf, type GrantFact, type Level, levelOnTask } from "../domain/access.ts";
import type { DocumentDatabase } from "../store/entities.ts";
import { readTask } from "../store/tasks.ts";

/** What access is asked about. */
export interface Resource {
  readonly kind: "document" | "folder" | "root";
  readonly id: string;
}

/** A subject in a workspace, at one epoch. */
export interface Viewer {
  readonly workspaceId: string;
  readonly epoch: string;
  readonly standing: Membership;
  /** Whether it may watch the workspace at all. */
  readonly watches: boolean;
  /** Everything whose grants reach it. */
  readonly principals: ReadonlySet<string>;
  /** Who sees the root sees everything below: grants only add. */
  readonly rootLevel: Level;
  levelOf(resource: Resource): Promise<Level>;
  /** Whether it would see the resource without one grant. */
  seesWithout(resource: Resource, grant: Pick<GrantFact, "resourceId" | "principal">): Promise<boolean>;
  /** Whether it would see something that lay in this folder, or in the root, by grants above it or on itself. */
  sawIn(folderId: string | undefined, resource: Resource): Promise<boolean>;
  seesTask(taskId: string): Promise<boolean>;
}

export interface ViewersOptions {
  readonly db: DocumentDatabase;
  readonly membership: MembershipCache;
  readonly authorizer: DocumentAuthorizer;
}

/** How many subjects, and answers for each, are remembered. */
const mostViewers = 2000;
const mostAnswers = 1000;

export class Viewers {
  readonly #options: ViewersOptions;
  readonly #known = new Map<string, Viewer>();
  readonly #accessSequences = new Map<string, number>();

  constructor(options: ViewersOptions) {
    this.#options = options;
  }

  /** From now on changes of access in the workspace are heard of, so that answers about it may be remembered. */
  remember(workspaceId: string): void {
    if (!this.#accessSequences.has(workspaceId)) this.#accessSequences.set(workspaceId, 0);
  }

  /** Access in a workspace changed with this row of the log: what is remembered of it is stale. */
  accessChanged(workspaceId: string, sequence: number): void {
    const known = this.#accessSequences.get(workspaceId);
    if (known !== undefined && sequence > known) this.#accessSequences.set(workspaceId, sequence);
  }

  /** Changes of access in the workspace are no longer heard of. */
  forget(workspaceId: string): void {
    this.#accessSequences.delete(workspaceId);
    for (const [key, viewer] of this.#known) if (viewer.workspaceId === workspaceId) this.#known.delete(key);
  }

  /** The subject in the workspace as of now. */
  async viewer(subject: Subject, workspaceId: string, call: Call): Promise<Viewer> {
    const standing = await this.#options.membership.of(subject, workspaceId, call);
    const sequence = this.#accessSequences.get(workspaceId);
    const epoch = `${standing.epoch}/${sequence ?? ""}`;
    const key = `${subject.kind}:${subject.id}/${workspaceId}`;
    const known = this.#known.get(key);
    if (known?.epoch === epoch) return known;
    const root = await this.#options.authorizer.rootFor(subject, workspaceId, call);
    const made = this.#make(subject, epoch, root, call);
    if (sequence === undefined) return made;
    this.#known.delete(key);
    this.#known.set(key, made);
    if (this.#known.size > mostViewers) this.#known.delete(this.#known.keys().next().value ?? "");
    return made;
  }

  #make(subject: Subject, epoch: string, root: Standpoint, call: Call): Viewer {
    const { db, authorizer } = this.#options;
    const { standing, workspaceId } = root;
    // The call that asked first may end before others that share the answers.
    const lasting: Call = { ...call, signal: new AbortController().signal };
    const answers = new Map<string, Promise<Level | boolean>>();
    const once = <T extends Level | boolean>(key: string, ask: () => Promise<T>): Promise<T> => {
      const known = answers.get(key);
      if (known !== undefined) return known as Promise<T>;
      if (answers.size >= mostAnswers) answers.clear();
      const answer = ask();
      answers.set(key, answer);
      answer.catch(() => answers.delete(key));
      return answer;
    };
    const standpoint = ({ kind, id }: Resource) => {
      if (kind === "root") return authorizer.rootFor(subject, workspaceId, lasting);
      return kind === "document"
        ? authorizer.documentFor(subject, id, lasting)
        : authorizer.folderFor(subject, id, lasting);
    };
    const rootLevel = root.access.level;

    const levelOf: Viewer["levelOf"] = async (resource) => {
      if (resource.kind === "root" || rootLevel === 4) return rootLevel;
      // What is gone was below the root as well.
      return once(
        `${resource.kind} ${resource.id}`,
        async () => (await standpoint(resource))?.access.level ?? rootLevel,
      );
    };
    return {
      workspaceId,
      epoch,
      standing,
      watches: standing.member && standing.permissions.has(Permission.CHANGE_WATCH),
      principals: new Set(root.principals),
      rootLevel,
      levelOf,
      async seesWithout(resource, grant) {
        if (rootLevel > 0 && grant.resourceId !== "") return true;
        const at = await standpoint(resource);
        if (at === undefined) return false;
        const others = at.grants.filter(
          (one) => one.resourceId !== grant.resourceId || one.principal !== grant.principal,
        );
        return accessOf(subject, standing, at.place, others).level > 0;
      },
      async sawIn(folderId, resource) {
        if (rootLevel > 0) return true;
        const at = await standpoint(resource);
        const own = at?.grants.some((grant) => grant.resourceId === resource.id && grant.level > 0) ?? false;
        return own || (folderId !== undefined && (await levelOf({ kind: "folder", id: folderId })) > 0);
      },
      seesTask(taskId) {
        return once(`task ${taskId}`, async () => {
          if (levelOnTask(subject, standing, "") > 0) return true;
          const row = await readTask(db.query, taskId);
          return row !== undefined && levelOnTask(subject, standing, row.assignee) > 0;
        });
      },
    };
  }
}
