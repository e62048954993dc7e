// What pdf.js asks for while it draws: character maps, fonts that every PDF may count on, and decoders of pictures. They
// are served as they are, from our own origin. The interpreter for scripts in PDFs is among its files and stays away.

import { createRequire } from "node:module";
import { dirname, join } from "node:path";

const library = dirname(createRequire(import.meta.url).resolve("pdfjs-dist/package.json"));

/** For Nitro's `publicAssets`. */
export function pdfAssets() {
  return ["cmaps", "standard_fonts", "iccs", "wasm"].map((folder) => ({
    dir: join(library, folder),
    baseURL: `/_pdf/${folder}`,
    maxAge: 24 * 60 * 60,
  }));
}

/** For Nitro's `ignore`: what is not served. Pictures are decoded by WebAssembly, never by the scripts in its place. */
export const pdfLeftOut = ["**/quickjs-*", "**/*_nowasm_fallback.js"];
