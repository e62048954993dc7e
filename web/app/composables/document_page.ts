// What the parts of a document's page share: the document, which of its versions is looked at, and what changed since.

import type { Document } from "@docket/contracts/gen/docket/document/v1/document_pb.ts";
import { GrantLevel } from "@docket/contracts/gen/docket/document/v1/grant_pb.ts";
import type { Version } from "@docket/contracts/gen/docket/document/v1/version_pb.ts";

/** One step of the way to a document. */
export interface FolderStepNamed {
  readonly id: string;
  readonly name: string;
}

/** What a document's page begins with. */
export interface DocumentStart {
  readonly document: Document;
  /** The folders above that the asker may see, the uppermost first. */
  readonly path: readonly FolderStepNamed[];
  /** The version that the address names, where that is not the newest. */
  readonly version?: Version;
}

/** Asks for everything that a document's page begins with. */
export function useDocumentStart() {
  const documents = useDocuments();
  const versions = useVersions();
  const pathOf = useFolderPath();
  const { knowActors } = useNames();

  return async (documentId: string, number?: number): Promise<DocumentStart> => {
    const document = await documents.get(documentId);
    const { folderId, version: newest } = document;
    const other = number !== undefined && number !== newest?.number ? versions.get(documentId, number) : undefined;
    const [path, version] = await Promise.all([
      folderId === undefined ? [] : pathOf(folderId),
      // An address with a number that never was shows the newest.
      other?.catch(() => undefined),
      knowActors([document.createdBy, newest?.createdBy], document.workspaceId),
    ]);
    return { document, path, version };
  };
}

/** Asks for the folders above a document, the uppermost first. */
function useFolderPath() {
  const folders = useFolders();
  return async (folderId: string): Promise<FolderStepNamed[]> => {
    try {
      const { id, name, path } = await folders.get(folderId);
      return [...path, { id, name }].map((step) => ({ id: step.id, name: step.name }));
    } catch {
      // A document can be granted without the folder that it lies in.
      return [];
    }
  };
}

/** The page's state, made by the page and used by its parts. */
export function makeDocumentPage(start: Ref<DocumentStart>) {
  const documents = useDocuments();
  const versions = useVersions();
  const pathOf = useFolderPath();
  const { showFault } = useFaults();
  const route = useRoute();

  const document = shallowRef(start.value.document);
  const path = shallowRef(start.value.path);
  watch(start, (fresh) => {
    document.value = fresh.document;
    path.value = fresh.path;
  });

  const newest = computed(() => document.value.version);
  /** The version that is read; a newer one that arrives does not take its place by itself. */
  const shown = shallowRef<Version | undefined>(start.value.version ?? start.value.document.version);
  /** Counts what others, or this page, did to each part, so that the part lists anew. */
  const marks = reactive({ versions: 0, tasks: 0, comments: 0, grants: 0, activity: 0 });
  const rights = computed(() => {
    const { access } = document.value;
    const kept = document.value.trashTime === undefined;
    return {
      comment: kept && access >= GrantLevel.COMMENTER,
      edit: kept && access >= GrantLevel.EDITOR,
      own: kept && access >= GrantLevel.OWNER,
      seeGrants: access >= GrantLevel.EDITOR,
      undelete: access >= GrantLevel.EDITOR,
    };
  });

  /** Takes a newer state of the document; answers to changes do not say what one may do. */
  function take(fresh: Document): void {
    const access = fresh.access === GrantLevel.UNSPECIFIED ? document.value.access : fresh.access;
    document.value = { ...fresh, access };
    const { version } = fresh;
    if (version !== undefined && shown.value?.id === version.id) shown.value = version;
  }

  async function refresh(): Promise<void> {
    const { folderId: before } = document.value;
    take(await documents.get(document.value.id));
    const { folderId } = document.value;
    if (folderId !== before) path.value = folderId === undefined ? [] : await pathOf(folderId);
  }

  /** Shows a version, and says so in the address. */
  async function show(version: Version | undefined): Promise<void> {
    if (version === undefined) return;
    shown.value = version;
    const v = version.number === newest.value?.number ? undefined : String(version.number);
    if (route.query.v !== v) await navigateTo({ query: { ...route.query, v } }, { replace: false });
  }

  // Back and forward in the browser.
  watch(
    () => route.query.v,
    async (v) => {
      const number = versionNumberOf(v) ?? newest.value?.number;
      if (number === undefined || number === shown.value?.number || route.params.document !== document.value.id) return;
      if (number === newest.value?.number) shown.value = newest.value;
      else
        try {
          shown.value = await versions.get(document.value.id, number);
        } catch (error) {
          showFault(error);
        }
    },
  );

  return { document, path, newest, shown, marks, rights, take, refresh, show };
}

export type DocumentPage = ReturnType<typeof makeDocumentPage>;
const key: InjectionKey<DocumentPage> = Symbol("document page");

/** Gives the page's state to its parts. */
export function provideDocumentPage(page: DocumentPage): void {
  provide(key, page);
}

export function useDocumentPage(): DocumentPage {
  const page = inject(key);
  if (page === undefined) throw new Error("This is a part of a document's page only.");
  return page;
}

/** The version's number in an address. */
export function versionNumberOf(value: unknown): number | undefined {
  return typeof value === "string" && /^[1-9]\d{0,8}$/.test(value) ? Number(value) : undefined;
}
