// Markdown as safe elements: no HTML of the file's own, no pictures from elsewhere (they become links), and links only
// to the web. What the renderer makes is cleaned once more, so that a fault in it runs nothing.

/** Makes elements of Markdown. Only in browsers. */
export async function renderMarkdown(text: string): Promise<DocumentFragment> {
  const [{ default: MarkdownIt }, { default: purify }] = await Promise.all([
    import("markdown-it"),
    import("dompurify"),
  ]);
  const markdown = new MarkdownIt({ html: false, linkify: true });
  markdown.validateLink = isWebAddress;
  // What would load a picture tells where the picture is.
  markdown.core.ruler.push("pictures_as_links", (state) => {
    for (const block of state.tokens) {
      for (const token of block.children ?? []) {
        if (token.type !== "image") continue;
        const source = String(token.attrGet("src") ?? "");
        token.type = "picture_link";
        token.meta = { source, label: token.content || source };
      }
    }
  });
  markdown.renderer.rules.picture_link = (tokens, index) => {
    const { source = "", label = "" } = (tokens[index]?.meta ?? {}) as { source?: string; label?: string };
    const { escapeHtml } = markdown.utils;
    return isWebAddress(source) ? `<a href="${escapeHtml(source)}">${escapeHtml(label)}</a>` : escapeHtml(label);
  };
  const fragment = purify.sanitize(markdown.render(text), {
    RETURN_DOM_FRAGMENT: true,
    ALLOWED_TAGS: [
      ...["h1", "h2", "h3", "h4", "h5", "h6", "p", "br", "hr", "blockquote", "ul", "ol", "li", "pre", "code", "a"],
      ...["strong", "em", "s", "table", "thead", "tbody", "tr", "th", "td"],
    ],
    ALLOWED_ATTR: ["href", "start"],
    ALLOWED_URI_REGEXP: /^(?:https?|mailto):/i,
  });
  for (const link of fragment.querySelectorAll("a")) {
    link.rel = "noopener noreferrer nofollow";
    link.target = "_blank";
  }
  // Wide ones scroll by themselves; the keyboard has to get there too.
  for (const wide of fragment.querySelectorAll<HTMLElement>("pre, table")) wide.tabIndex = 0;
  return fragment;
}
