// An icon is a class that the stylesheet fills (`i-lucide-…`, one rule for each icon that is named in the sources), so no
// script draws or fetches any. It stands in for Nuxt UI's own component (see nuxt.config).

import { h } from "vue";

export default function CssIcon({ name }: { name: string }) {
  return h("span", { class: name, "aria-hidden": "true" });
}
CssIcon.props = ["name", "mode", "size", "customize"];
