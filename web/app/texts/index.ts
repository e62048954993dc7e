// Every text of the portal, by language and area. A language is one more folder with the same files; the compiler says
// what is missing in it.

import account from "./en/account.json";
import common from "./en/common.json";
import document from "./en/document.json";
import documents from "./en/documents.json";
import settings from "./en/settings.json";
import tasks from "./en/tasks.json";
import uploads from "./en/uploads.json";

export const en = { ...common, ...account, ...documents, ...document, ...tasks, ...uploads, ...settings };

/** All texts of a language. */
export type Texts = typeof en;

/** The languages, by their tags. */
export const languages = { en } satisfies Record<string, Texts>;
