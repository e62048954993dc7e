// Every text of the portal, by language and area. A language is one more folder with the same files; the compiler says
// what is missing in it. Only what every page says is here from the start: the build adds the other areas where their keys
// are named (build/texts_by_area.ts).

import type account from "./en/account.json";
import common from "./en/common.json";
import type document from "./en/document.json";
import type documents from "./en/documents.json";
import type settings from "./en/settings.json";
import type tasks from "./en/tasks.json";
import type uploads from "./en/uploads.json";

/** All texts of a language. */
export type Texts = typeof common &
  typeof account &
  typeof documents &
  typeof document &
  typeof tasks &
  typeof uploads &
  typeof settings;

/** The languages, by their tags. */
export const languages: { readonly en: object } = { en: { ...common } };

/** Adds an area's texts; called by the area's module. */
export function addTexts({ en }: { readonly en: Partial<Texts> }): void {
  Object.assign(languages.en, en);
}
