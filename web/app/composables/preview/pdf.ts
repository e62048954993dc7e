// PDF files, drawn by pdf.js on canvases. What a PDF would run or load stays asleep: the part of pdf.js that runs scripts
// is not there, forms are drawn and not filled in, and links are not followed.

import type { PDFDocumentLoadingTask, PDFDocumentProxy } from "pdfjs-dist";

/** How much is asked for at once: enough that a page comes with a few requests. */
const rangeChunkSize = 512 * 1024;

/** Pictures with more pixels than this are left out: they would take more than a gigabyte of memory. */
const maxImageSize = 256 * 1024 * 1024;

/** Loads pdf.js, a library larger than the rest of a page, and nothing of it before. */
export async function loadPdfJs() {
  const [pdfjs, worker] = await Promise.all([import("pdfjs-dist"), import("pdfjs-dist/build/pdf.worker.min.mjs?url")]);
  pdfjs.GlobalWorkerOptions.workerSrc = worker.default;
  return pdfjs;
}

export type PdfJs = Awaited<ReturnType<typeof loadPdfJs>>;

/** Begins to read a PDF; only the parts of the file that are looked at are fetched. */
export function openPdf(pdfjs: PdfJs, url: string): PDFDocumentLoadingTask {
  return pdfjs.getDocument({
    url,
    rangeChunkSize,
    disableAutoFetch: true,
    disableStream: true,
    enableXfa: false,
    maxImageSize,
    useWorkerFetch: true,
    wasmUrl: "/_pdf/wasm/",
    cMapUrl: "/_pdf/cmaps/",
    standardFontDataUrl: "/_pdf/standard_fonts/",
    iccUrl: "/_pdf/iccs/",
    verbosity: pdfjs.VerbosityLevel.ERRORS,
  });
}

/** What kind of failure pdf.js reports; undefined when it was the network. */
export function pdfFailureOf(error: unknown): PreviewFailure | undefined {
  const { name } = error as { name?: string };
  if (name === "PasswordException") return "encrypted";
  if (name === "ResponseException" || name === "AbortException") return undefined;
  return "broken";
}

export type { PDFDocumentProxy };
