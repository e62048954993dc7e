// The policy of every page: scripts are our own files, or carry this answer's nonce; nothing comes from elsewhere.
// Styles may be inline: components position themselves with style attributes, and no script can come of it.

import { randomBytes } from "node:crypto";

export default defineNitroPlugin((nitro) => {
  if (import.meta.dev) return;
  nitro.hooks.hook("render:html", (html, { event }) => {
    const nonce = randomBytes(16).toString("base64");
    const marked = (part: string) => part.replaceAll("<script", `<script nonce="${nonce}"`);
    // The app's own markup (html.body) never holds a script.
    html.head = html.head.map(marked);
    html.bodyPrepend = html.bodyPrepend.map(marked);
    html.bodyAppend = html.bodyAppend.map(marked);
    setResponseHeader(event, "content-security-policy", policy(nonce));
    setResponseHeader(event, "cache-control", "no-store");
  });
});

function policy(nonce: string): string {
  return [
    "default-src 'none'",
    // WebAssembly: hashing where the browser offers none, and pictures in PDFs.
    `script-src 'self' 'nonce-${nonce}' 'wasm-unsafe-eval'`,
    "style-src 'self' 'unsafe-inline'",
    "img-src 'self' blob: data:",
    "media-src 'self' blob:",
    "font-src 'self' data:",
    "connect-src 'self'",
    "worker-src 'self'",
    "manifest-src 'self'",
    "base-uri 'none'",
    "form-action 'self'",
    "frame-ancestors 'none'",
  ].join("; ");
}
