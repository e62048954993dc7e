// What others do with a document while somebody looks at it.

import { type Change, ChangeKind } from "@docket/contracts/gen/docket/document/v1/change_pb.ts";
import type { Version } from "@docket/contracts/gen/docket/document/v1/version_pb.ts";

/** Keeps the page's parts fresh; a newer version is announced, and shown only where one's own hand made it. */
export function useDocumentLive(page: DocumentPage): void {
  const { user } = useSession();
  const { onChange, onReload } = useLive();
  const { showFault } = useFaults();
  const route = useRoute();

  onChange((change) => void apply(change).catch(showFault), {
    workspaceId: page.document.value.workspaceId,
    documentId: page.document.value.id,
  });
  onReload(() => {
    for (const name of Object.keys(page.marks) as (keyof DocumentPage["marks"])[]) page.marks[name] += 1;
    void page.refresh().catch(showFault);
  });

  async function apply(change: Change): Promise<void> {
    const { kind, actor } = change;
    page.marks.activity += 1;
    if (kind >= ChangeKind.TASK_CREATED && kind <= ChangeKind.TASK_DUE) page.marks.tasks += 1;
    else if (kind >= ChangeKind.COMMENT_CREATED && kind <= ChangeKind.COMMENT_DELETED) page.marks.comments += 1;
    else if (kind === ChangeKind.GRANT_SET || kind === ChangeKind.GRANT_REVOKED) page.marks.grants += 1;
    else if (kind === ChangeKind.DOCUMENT_PURGED || kind === ChangeKind.ACCESS_LOST) await page.refresh();
    else {
      const own = actor?.actor.value === user.value?.id;
      const readNewest = page.shown.value?.id === page.newest.value?.id && route.query.v === undefined;
      await page.refresh();
      if (kind >= ChangeKind.VERSION_CREATED && kind <= ChangeKind.VERSION_REMOVED) page.marks.versions += 1;
      if (kind === ChangeKind.VERSION_CREATED) page.marks.tasks += 1;
      if (kind === ChangeKind.VERSION_CREATED && own && readNewest) await page.show(page.newest.value);
    }
  }
}

/** Files dropped on the page become the newest version; whoever dropped them sees it, and may say what is different. */
export function useDocumentUploads(page: DocumentPage): { describing: Ref<Version | undefined> } {
  const { t } = useI18n();
  const toast = useToast();
  const { showFault } = useFaults();
  /** The version whose label and note are asked for. */
  const describing = shallowRef<Version>();

  useUploadTarget(() => {
    const { id: documentId, workspaceId, title: name } = page.document.value;
    return page.rights.value.edit ? { workspaceId, documentId, name } : undefined;
  });
  onUploaded(async ({ documentId, versionNumber, target }) => {
    if (documentId !== page.document.value.id) return;
    try {
      await page.refresh();
      page.marks.versions += 1;
      page.marks.tasks += 1;
      await page.show(page.newest.value);
    } catch (error) {
      showFault(error);
    }
    const added = page.newest.value;
    const silent = !target.note && !target.label;
    const describe = {
      label: t("version.describe"),
      color: "neutral" as const,
      variant: "outline" as const,
      onClick: () => {
        describing.value = added;
      },
    };
    toast.add({
      title: t("version.added", { n: versionNumber }),
      icon: "i-lucide-check",
      actions: silent && added ? [describe] : [],
    });
  });
  return { describing };
}
