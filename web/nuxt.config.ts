// The portal: what people see. It renders on the server with the visitor's own session, speaks Connect to the edge, and
// loads nothing from anywhere else: no fonts, icons or telemetry from outside.

import { fileURLToPath } from "node:url";
import { binaryOnly } from "./build/lean_connect.ts";
import { leanDescriptors } from "./build/lean_descriptors.ts";
import { pdfAssets, pdfLeftOut } from "./build/pdf_assets.ts";
import { textsByArea } from "./build/texts_by_area.ts";

/** Where the edge is in development. In production the process gives each request its own way there (see main.ts). */
const edgeUrl = process.env.DOCKET_EDGE_URL ?? "http://127.0.0.1:8080";

export default defineNuxtConfig({
  compatibilityDate: "2026-11-01",
  telemetry: false,
  devtools: { enabled: false },
  modules: ["@nuxt/ui"],
  css: ["~/assets/main.css"],
  components: [{ path: "~/components", pathPrefix: false }],
  imports: { dirs: ["composables/**"] },
  // Icons are styles (see css_icon.ts). The module's own endpoint would fetch from elsewhere whatever anybody asks it
  // for, and keep every answer in memory.
  icon: { provider: "none", fallbackToApi: false },
  ui: { fonts: false, theme: { colors: ["primary", "success", "warning", "error", "neutral", "info"] } },
  colorMode: { preference: "system", fallback: "light" },
  app: {
    head: {
      htmlAttrs: { lang: "en" },
      title: "Docket",
      titleTemplate: "%s",
      viewport: "width=device-width, initial-scale=1, viewport-fit=cover",
      link: [{ rel: "icon", type: "image/svg+xml", href: "/icon.svg" }],
      meta: [
        { name: "description", content: "Documents, every version of them, and what is to be done about them." },
        { name: "color-scheme", content: "light dark" },
      ],
    },
  },
  // What a link leads to is loaded when somebody reaches for it, not when it is seen: the first page stays light.
  experimental: { defaults: { nuxtLink: { prefetchOn: { visibility: false, interaction: true } } } },
  runtimeConfig: { edgeUrl },
  nitro: {
    preset: "node-listener",
    serveStatic: true,
    publicAssets: pdfAssets(),
    ignore: pdfLeftOut,
    compressPublicAssets: { gzip: true, brotli: true },
  },
  routeRules: {
    // Workers take the policy of their own script.
    "/_nuxt/**": {
      headers: {
        "content-security-policy":
          "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'; worker-src 'self'",
      },
    },
  },
  alias: {
    "@nuxt/icon/runtime/components/index.js": fileURLToPath(new URL("app/icons/css_icon.ts", import.meta.url)),
  },
  hooks: {
    // What the first screen may need later is loaded when it is needed, not beside it.
    "build:manifest": (manifest) => {
      for (const each of Object.values(manifest)) each.dynamicImports = [];
    },
    "app:resolve": (app) => {
      // Icons are styles, so the plugin that draws them by script is left out.
      app.plugins = app.plugins.filter(({ src }) => !src.includes("@nuxt/icon"));
      // The colours never change while a page is open; the server's style is enough.
      for (const plugin of app.plugins)
        if (/\/ui\/dist\/runtime\/plugins\/colors(\.js)?$/.test(plugin.src)) plugin.mode = "server";
    },
  },
  vite: {
    // In development the page's own origin is Nuxt's, and calls go on to the edge with the host that was asked.
    server: {
      proxy: {
        "^/docket\\.": { target: edgeUrl, changeOrigin: false },
        "/files/": { target: edgeUrl, changeOrigin: false },
      },
    },
    plugins: [leanDescriptors(), binaryOnly(), textsByArea()],
    worker: { format: "es", plugins: () => [leanDescriptors()] },
    build: { target: "es2023" },
  },
  typescript: {
    strict: true,
    tsConfig: { compilerOptions: { noUncheckedIndexedAccess: true }, include: ["../test/**/*"] },
  },
});
