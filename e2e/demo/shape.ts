// What the demonstration is made of, in words of its own: names instead of ids, days instead of dates.

export type DemoWho = "anna" | "ben";

/** Contents that arrive with a version, or those of an earlier one again. */
export type DemoVersion = {
  readonly by: DemoWho;
  readonly label?: string;
  readonly note?: string;
} & ({ readonly file: string } | { readonly restores: number });

export interface DemoComment {
  readonly by: DemoWho;
  readonly body: string;
}

export interface DemoDocument {
  /** Unlike that of every other document. */
  readonly title: string;
  /** The names on the way down, with "/" between. Empty: the root. */
  readonly folder: string;
  readonly tags?: readonly string[];
  readonly versions: readonly [DemoVersion, ...DemoVersion[]];
  readonly comments?: readonly DemoComment[];
  readonly trashed?: true;
}

export interface DemoTask {
  /** Unlike that of every other task. */
  readonly title: string;
  readonly by: DemoWho;
  readonly description?: string;
  /** The title of the document. Unset: it stands alone. */
  readonly on?: string;
  /** The version it speaks of. Unset: the newest. */
  readonly version?: number;
  readonly approval?: true;
  readonly assignee?: DemoWho | "inspectors";
  /** Days from the day of the filling; negative: overdue. */
  readonly due?: number;
  readonly priority?: "low" | "high" | "urgent";
  readonly begun?: true;
  readonly done?: { readonly by: DemoWho; readonly note?: string; readonly outcome?: "approved" | "rejected" };
  readonly comments?: readonly DemoComment[];
}

/** Media types by the end of a file's name. */
export const mediaTypes: Readonly<Record<string, string>> = {
  csv: "text/csv",
  docx: "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
  jpg: "image/jpeg",
  json: "application/json",
  md: "text/markdown",
  mp3: "audio/mpeg",
  mp4: "video/mp4",
  ogg: "audio/ogg",
  pdf: "application/pdf",
  png: "image/png",
  py: "text/x-python",
  sql: "application/sql",
  svg: "image/svg+xml",
  txt: "text/plain",
  wav: "audio/wav",
  webp: "image/webp",
  xlsx: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
  yaml: "application/yaml",
  zip: "application/zip",
};
