// Uploads in words: where one stands, what went wrong, how long it takes.

import { roundedDuration } from "~/uploads/speed.ts";
import type { Trouble } from "~/uploads/types.ts";

export function useUploadWords() {
  const { t, te } = useI18n();
  const { locale } = useDates();

  const size = (bytes: number) => formatSize(bytes, locale.value);

  function duration(seconds: number): string {
    const { n, unit } = roundedDuration(seconds);
    return new Intl.NumberFormat(locale.value, {
      style: "unit",
      unit,
      unitDisplay: unit === "hour" ? "long" : "short",
    }).format(n);
  }

  function cause({ reason, message, metadata }: Trouble): string {
    const limit = metadata.limit === undefined ? "" : size(Number(metadata.limit));
    const own = `uploads.cause.${reason}`;
    if (te(own)) return t(own, { limit });
    const common = `faults.${reason}`;
    return te(common) ? t(common, metadata) : t("uploads.cause.unknown", { message });
  }

  /** The second line of an upload. */
  function standing(item: UploadItem, now: number): string {
    const { state, kind, trouble, sent, size: whole, versionNumber, target } = item;
    const values = { sent: size(sent), size: size(whole) };
    if (state === "failed" && trouble) return cause(trouble);
    if (state === "stalled" && trouble) {
      const seconds = (item.retryAt - now) / 1000;
      const words = { cause: cause(trouble), time: duration(Math.max(1, seconds)) };
      return seconds >= 2 ? t("uploads.againIn", words) : t("uploads.again", words);
    }
    if (state === "sending" && whole > 0) return t("uploads.progress", values);
    if (state === "done" && kind === "folder") return t("uploads.state.folderDone");
    if (state === "done" && target.documentId !== undefined && versionNumber !== undefined)
      return t("uploads.state.doneVersion", { number: versionNumber });
    if (state === "done") return size(whole);
    if (state === "asking" && sent > 0) return t("uploads.state.paused", values);
    if (state === "failed" || state === "stalled") return t("uploads.state.waiting");
    return t(`uploads.state.${state}`, values);
  }

  /** All uploads in a few words. */
  function headline({ total, active, stalled, signedOut, paused, asking, failed, done }: UploadsSummary): string {
    if (total === 0) return t("uploads.title");
    if (signedOut > 0) return t("uploads.summary.signedOut");
    if (active > 0 && stalled === active) return t("uploads.summary.stalled");
    if (active > 0) return t("uploads.summary.uploading", { n: active });
    if (failed > 0) return t("uploads.summary.failed", { n: failed });
    if (asking > 0) return t("uploads.summary.asking", { n: asking });
    if (paused > 0) return t("uploads.summary.paused");
    return t("uploads.summary.done", { n: done });
  }

  return { size, duration, cause, standing, headline };
}
