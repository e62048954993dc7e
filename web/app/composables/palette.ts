// The palette: going anywhere and doing anything by typing. Pages add what can be done on them.

import type { Ref } from "vue";
import type { NuxtApp } from "#app";

/** Something that can be done on the present page. */
export interface PaletteAction {
  readonly label: string;
  readonly icon: string;
  readonly run: () => unknown;
}

type Source = () => readonly PaletteAction[];

const sourcesBy = new WeakMap<NuxtApp, Ref<readonly Source[]>>();

export function usePalette() {
  const app = useNuxtApp() as NuxtApp;
  const sources = sourcesBy.get(app) ?? shallowRef<readonly Source[]>([]);
  sourcesBy.set(app, sources);
  return {
    open: useState("palette-open", () => false),
    /** What the present page offers. */
    actions: computed(() => sources.value.flatMap((source) => source())),
    /** Offers actions as long as the component lives. */
    offer(source: Source): void {
      if (import.meta.server) return;
      onMounted(() => {
        sources.value = [...sources.value, source];
      });
      onBeforeUnmount(() => {
        sources.value = sources.value.filter((one) => one !== source);
      });
    },
  };
}

/** Opens the palette with Ctrl+K, or Cmd+K; for the layout. */
export function usePaletteKey(): void {
  const { open } = usePalette();
  onMounted(() => {
    const stop = new AbortController();
    const pressed = (event: KeyboardEvent) => {
      if (event.key.toLowerCase() !== "k" || !(event.ctrlKey || event.metaKey) || event.shiftKey || event.altKey)
        return;
      event.preventDefault();
      open.value = !open.value;
    };
    document.addEventListener("keydown", pressed, { signal: stop.signal });
    onBeforeUnmount(() => stop.abort());
  });
}
