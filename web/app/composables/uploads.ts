// Uploads, as pages and components see them: hand over files and a target; the rest goes on by itself while people walk
// around. The code that does it comes with the first file.

import type { NuxtApp } from "#app";
import type { Engine } from "~/uploads/engine.ts";
import type { Gathered } from "~/uploads/gather.ts";
import { emptySummary } from "~/uploads/summary.ts";
import type { Uploaded, UploadItem, UploadSource, UploadsSummary, UploadTarget } from "~/uploads/types.ts";

export type { Uploaded, UploadItem, UploadSource, UploadsSummary, UploadTarget };

interface Shared {
  readonly engine: Ref<Engine | undefined>;
  loading: Promise<Engine> | undefined;
  readonly listeners: Set<(uploaded: Uploaded) => void>;
  /** What the present page says about where files go; the last one that was mounted. */
  readonly targets: Ref<readonly (() => UploadTarget | undefined)[]>;
  /** How many files were found in folders that are still walked through; 0: none are. */
  readonly gathering: Ref<number>;
  /** Whether the tray lies open. */
  readonly open: Ref<boolean>;
}

const sharedBy = new WeakMap<NuxtApp, Shared>();

function useShared(): Shared {
  const app = useNuxtApp() as NuxtApp;
  let shared = sharedBy.get(app);
  if (shared === undefined) {
    shared = {
      engine: shallowRef(),
      loading: undefined,
      listeners: new Set(),
      targets: shallowRef([]),
      gathering: ref(0),
      open: ref(true),
    };
    sharedBy.set(app, shared);
  }
  return shared;
}

/** A mark per person, so that pages where nothing is left over need not look for it. */
const markOf = (userId: string) => `docket-uploads:${userId}`;

export function useUploads() {
  const shared = useShared();
  const app = useNuxtApp();
  const { user, refresh } = useSession();
  const { t } = useI18n();
  const toast = useToast();

  async function load(): Promise<Engine> {
    const [{ createEngine }, { useUploadCalls }] = await Promise.all([
      import("~/uploads/engine.ts"),
      import("~/composables/upload_calls.ts"),
    ]);
    const calls = await app.runWithContext(() => useUploadCalls());
    const onUploaded = (uploaded: Uploaded) => {
      for (const listener of shared.listeners) listener(uploaded);
    };
    const whoIsThere = async () => (await refresh().catch(() => null))?.user.id;
    shared.engine.value = await createEngine({ calls, onUploaded, whoIsThere });
    return shared.engine.value;
  }

  async function engine(): Promise<Engine> {
    shared.loading ??= load();
    // The network may have been away just then.
    shared.loading.catch(() => {
      shared.loading = undefined;
    });
    return await shared.loading;
  }

  /** Sends files to a target. Resolves when they are in the list, not when they are there. */
  async function add(files: readonly UploadSource[], target: UploadTarget): Promise<void> {
    await addGathered({ files: [...files], emptyFolders: [] }, target);
  }

  async function addGathered({ files, emptyFolders }: Gathered, target: UploadTarget): Promise<void> {
    const userId = user.value?.id;
    if (userId === undefined) return;
    localStorage.setItem(markOf(userId), "1");
    const uploads = await engine();
    await uploads.add(userId, files, target);
    await uploads.addFolders(userId, emptyFolders, target);
  }

  /** Sends what is found bit by bit in dropped or picked folders. A document takes one file as its new version. */
  async function addAll(batches: AsyncIterable<Gathered>, target: UploadTarget): Promise<void> {
    shared.open.value = true;
    let found = 0;
    try {
      for await (const batch of batches) {
        found += batch.files.length + batch.emptyFolders.length;
        if (target.documentId !== undefined && (found !== 1 || batch.files[0]?.path.length !== 0)) {
          toast.add({ color: "warning", icon: "i-lucide-files", title: t("uploads.oneFile") });
          return;
        }
        shared.gathering.value = found;
        await addGathered(batch, target);
      }
    } catch {
      toast.add({ color: "error", icon: "i-lucide-circle-alert", title: t("uploads.notLoaded") });
    } finally {
      shared.gathering.value = 0;
    }
  }

  /** Takes up what an earlier page of this person has left, if there is any. */
  async function restore(): Promise<void> {
    const userId = user.value?.id;
    if (userId === undefined || localStorage.getItem(markOf(userId)) === null) return;
    const uploads = await engine();
    const left = await uploads.restore(userId);
    if (left === 0 && uploads.items.value.length === 0) localStorage.removeItem(markOf(userId));
  }

  return {
    items: computed<readonly UploadItem[]>(() => shared.engine.value?.items.value ?? []),
    summary: computed<UploadsSummary>(() => shared.engine.value?.summary.value ?? emptySummary),
    /** How many leftovers of an earlier page had waited too long. */
    expired: computed(() => shared.engine.value?.expired.value ?? 0),
    gathering: computed(() => shared.gathering.value),
    open: shared.open,
    /** Where the present page says that files go. */
    target: computed(() => shared.targets.value.at(-1)?.()),
    engine: computed(() => shared.engine.value),
    add,
    addAll,
    restore,
  };
}

/** Says where files go that are dropped, pasted or picked on this page; as long as the component lives. */
export function useUploadTarget(target: () => UploadTarget | undefined): void {
  if (import.meta.server) return;
  const { targets } = useShared();
  onMounted(() => {
    targets.value = [...targets.value, target];
  });
  onBeforeUnmount(() => {
    targets.value = targets.value.filter((one) => one !== target);
  });
}

/** Calls back after each upload that has become a document or version; as long as the component lives. */
export function onUploaded(listener: (uploaded: Uploaded) => void): void {
  if (import.meta.server) return;
  const { listeners } = useShared();
  onMounted(() => listeners.add(listener));
  onBeforeUnmount(() => listeners.delete(listener));
}
