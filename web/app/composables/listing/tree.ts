// The folders of a workspace as a tree that is asked for branch by branch.

import type { Folder } from "@docket/contracts/gen/docket/document/v1/folder_pb.ts";

/** A folder in the tree; the root of the workspace has an empty id. */
export interface TreeNode {
  readonly id: string;
  readonly name: string;
  /** 1 for the root. */
  readonly level: number;
  readonly parentId: string | undefined;
  readonly open: boolean;
  readonly busy: boolean;
  /** Undefined: not asked for yet. */
  readonly children: readonly string[] | undefined;
}

export function useFolderTree(workspaceId: string, rootName: string) {
  const folders = useFolders();
  const { showFault } = useFaults();
  const nodes = ref(new Map<string, TreeNode>());
  nodes.value.set("", {
    id: "",
    name: rootName,
    level: 1,
    parentId: undefined,
    open: false,
    busy: false,
    children: undefined,
  });

  /** The nodes that can be seen, from above to below. */
  const visible = computed(() => {
    const found: TreeNode[] = [];
    const walk = (id: string) => {
      const node = nodes.value.get(id);
      if (node === undefined) return;
      found.push(node);
      if (node.open) for (const child of node.children ?? []) walk(child);
    };
    walk("");
    return found;
  });

  function change(id: string, fields: Partial<TreeNode>): void {
    const node = nodes.value.get(id);
    if (node !== undefined) nodes.value.set(id, { ...node, ...fields });
  }

  function put(folder: Pick<Folder, "id" | "name">, parent: TreeNode): void {
    const { id, name } = folder;
    const before = nodes.value.get(id);
    const fresh = { open: false, busy: false, children: undefined };
    nodes.value.set(id, { ...fresh, ...before, id, name, level: parent.level + 1, parentId: parent.id });
  }

  /** Opens a node; its folders are asked for the first time. */
  async function open(id: string): Promise<void> {
    const node = nodes.value.get(id);
    if (node === undefined || node.busy) return;
    change(id, { open: true });
    if (node.children !== undefined) return;
    change(id, { busy: true });
    try {
      const children: string[] = [];
      for (let token = ""; ; ) {
        const page = await folders.list({ workspaceId, folderId: id }, token);
        for (const folder of page.folders) {
          put(folder, node);
          children.push(folder.id);
        }
        token = page.nextPageToken;
        if (token === "") break;
      }
      change(id, { children });
    } catch (error) {
      change(id, { open: false });
      showFault(error);
    } finally {
      change(id, { busy: false });
    }
  }

  function close(id: string): void {
    change(id, { open: false });
  }

  /** Makes a folder in a node, and opens that. */
  async function create(parentId: string, name: string): Promise<Folder | undefined> {
    try {
      const folder = await folders.create(workspaceId, parentId, name);
      await open(parentId);
      const parent = nodes.value.get(parentId);
      if (parent === undefined) return folder;
      put(folder, parent);
      const names = (id: string) => nodes.value.get(id)?.name ?? "";
      const children = [...new Set([...(parent.children ?? []), folder.id])];
      change(parentId, { children: children.sort((a, b) => names(a).localeCompare(names(b))) });
      return folder;
    } catch (error) {
      showFault(error);
      return undefined;
    }
  }

  return { nodes, visible, open, close, create };
}
