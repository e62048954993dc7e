// The beginning of a file as text, for the previews that read it.

import type { Version } from "@docket/contracts/gen/docket/document/v1/version_pb.ts";

/** Why a preview cannot be shown; the texts are `preview.failed.*`. */
export type PreviewFailure = "image" | "codec" | "binary" | "encrypted" | "broken" | "large";

/** Fetches the first part of a version, anew whenever it is another version. */
export function usePreviewText(version: () => Version, emit: (event: "failed", failure: PreviewFailure) => void) {
  const { faultOf } = useFaults();
  const contents = shallowRef<DecodedText>();
  const truncated = ref(false);
  const fault = shallowRef<Fault>();
  let running: AbortController | undefined;

  async function load(): Promise<void> {
    running?.abort();
    const controller = new AbortController();
    running = controller;
    contents.value = undefined;
    fault.value = undefined;
    try {
      const { bytes, more } = await fetchStart(version(), controller.signal);
      const decoded = decodeText(bytes, more);
      if (controller.signal.aborted) return;
      truncated.value = more;
      if (decoded === undefined) emit("failed", "binary");
      else contents.value = decoded;
    } catch (error) {
      if (!controller.signal.aborted) fault.value = { ...faultOf(error), retryable: true };
    }
  }

  onMounted(() => {
    void load();
    watch(() => version().id, load);
  });
  onBeforeUnmount(() => running?.abort());
  return { contents, truncated, fault, load };
}

async function fetchStart({ documentId, number, size }: Version, signal: AbortSignal) {
  const more = Number(size) > textLimit;
  const headers = new Headers(more ? { range: `bytes=0-${textLimit - 1}` } : {});
  const answer = await fetch(contentsUrl(documentId, number), { headers, signal });
  if (!answer.ok) throw new Error(`The contents answered ${answer.status}.`);
  const bytes = new Uint8Array(await answer.arrayBuffer());
  // Something on the way may have ignored the range.
  return { bytes: bytes.subarray(0, textLimit), more: more || bytes.byteLength > textLimit };
}
