// A builder for every RPC of the registry. An RPC that is added to a proto does not compile until it has one.

import type { RpcName } from "@docket/contracts/registry";
import {
  archiveBuilders,
  documentBuilders,
  folderBuilders,
  grantBuilders,
  versionBuilders,
} from "./builders_document.ts";
import { feedBuilders, webhookBuilders } from "./builders_integration.ts";
import { storageBuilders } from "./builders_storage.ts";
import { meshBuilders, sessionBuilders, userBuilders } from "./builders_user.ts";
import { changeBuilders, commentBuilders, operationBuilders, taskBuilders } from "./builders_work.ts";
import { groupBuilders, keyBuilders, roleBuilders, workspaceBuilders } from "./builders_workspace.ts";
import type { RequestBuilder } from "./form.ts";

type Builders = { readonly [Name in RpcName]: RequestBuilder<Name> };

const typed: Builders = {
  ...folderBuilders,
  ...documentBuilders,
  ...versionBuilders,
  ...grantBuilders,
  ...archiveBuilders,
  ...taskBuilders,
  ...commentBuilders,
  ...changeBuilders,
  ...operationBuilders,
  ...storageBuilders,
  ...sessionBuilders,
  ...userBuilders,
  ...meshBuilders,
  ...workspaceBuilders,
  ...roleBuilders,
  ...groupBuilders,
  ...keyBuilders,
  ...feedBuilders,
  ...webhookBuilders,
};

/** The builders by name, for loops over the registry, which know an RPC only by its descriptor. */
export const builders = typed as unknown as Readonly<Record<RpcName, RequestBuilder<RpcName>>>;
