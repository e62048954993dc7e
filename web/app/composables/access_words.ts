// Why somebody has access, in words: each layer of the decision with its names, as the server's answer names only ids.

import { type AccessLayer, AccessLayerKind, GrantLevel } from "@docket/contracts/gen/docket/document/v1/grant_pb.ts";
import type { GrantHolder } from "./services/grants";

/** How ids become names. Undefined: the asker may not know it. */
export interface AccessNames {
  group(id: string): string | undefined;
  folder(id: string): string | undefined;
  readonly workspace: string;
  /** Whether it is about who reads it. */
  readonly mine?: boolean;
}

/** One layer in words. */
export interface LayerWords {
  readonly key: TextKey;
  readonly values: Readonly<Record<string, string>>;
  readonly passes: boolean;
  /** The text of the level that this layer gives; undefined where it gives none. */
  readonly level?: TextKey;
}

const levelNames = ["none", "viewer", "commenter", "editor", "owner"] as const;

/** The text of a level. */
export function levelKey(level: GrantLevel) {
  return `access.level.${levelNames[level] ?? "none"}` as const;
}

/** What a level allows. */
export function levelHint(level: GrantLevel) {
  return `access.hint.${levelNames[level] ?? "none"}` as const;
}

/** What a level allows oneself. */
export function levelMeansForMe(level: GrantLevel) {
  return `access.youCan.${levelNames[level] ?? "none"}` as const;
}

/** The layers that say something to people, in the order of the decision: session, role, then each grant. */
export function explainedLayers(layers: readonly AccessLayer[], names: AccessNames): LayerWords[] {
  return layers.flatMap((layer) => {
    const words = layerWords(layer, names);
    return words === undefined ? [] : [words];
  });
}

function layerWords(layer: AccessLayer, names: AccessNames): LayerWords | undefined {
  switch (layer.kind) {
    case AccessLayerKind.SESSION:
      return {
        key: layer.passes ? "access.why.session" : "access.why.noSession",
        values: {},
        passes: layer.passes,
      };
    case AccessLayerKind.ROLE:
      return {
        key: layer.passes ? "access.why.role" : "access.why.noRole",
        values: { workspace: names.workspace },
        passes: layer.passes,
        ...levelOf(layer),
      };
    case AccessLayerKind.GRANT:
      return grantWords(layer, names);
    default:
      // Which services may call is for engineers.
      return undefined;
  }
}

function grantWords(layer: AccessLayer, names: AccessNames): LayerWords {
  const { grant, path, passes } = layer;
  if (grant === undefined) return { key: "access.why.noGrant", values: {}, passes };
  const { key, values } = whereOf(layer, names);
  const level = levelOf(layer);
  if (grant.principal?.principal.case === "members")
    return { key: `access.why.members.${key}`, values, passes, ...level };
  if (path?.groupId !== undefined) {
    const group = names.group(path.groupId) ?? "…";
    return { key: `access.why.group.${key}`, values: { ...values, group }, passes, ...level };
  }
  return { key: `access.why.${names.mine ? "mine" : "direct"}.${key}`, values, passes, ...level };
}

function levelOf({ level }: AccessLayer): Pick<LayerWords, "level"> {
  return level === GrantLevel.UNSPECIFIED ? {} : { level: levelKey(level) };
}

interface Where {
  readonly key: "workspace" | "folder" | "hiddenFolder" | "document";
  readonly values: Readonly<Record<string, string>>;
}

/** Where a grant is. */
function whereOf({ grant }: AccessLayer, names: AccessNames): Where {
  const { case: kind, value = "" } = grant?.resource ?? { case: undefined };
  if (kind === "folderId") {
    const folder = names.folder(value);
    return folder === undefined ? { key: "hiddenFolder", values: {} } : { key: "folder", values: { folder } };
  }
  if (kind === "workspaceId") return { key: "workspace", values: { workspace: names.workspace } };
  return { key: "document", values: {} };
}

/** Tells holders of grants apart. */
export function holderKey(holder: GrantHolder | undefined): string {
  return holder?.case === undefined ? "" : `${holder.case}:${String(holder.value)}`;
}
