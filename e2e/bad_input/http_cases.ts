// Broken HTTP at the edge: uploads with metadata that lies, paths that climb, and bytes that are no request.

import { Reason } from "@docket/contracts/gen/docket/error/v1/reason_pb.ts";
import { beginUpload } from "../matrix/uploads.ts";
import type { World } from "../matrix/world.ts";
import { badNames } from "./names.ts";
import { bytes, http1, type RawRequest } from "./raw.ts";
import type { Case } from "./rpc_cases.ts";

const { INVALID_ARGUMENT, MALFORMED, NOT_FOUND, UNIMPLEMENTED, FILE_TOO_LARGE } = Reason;
const uploads = "/files/uploads";
const base64 = (text: string) => Buffer.from(text).toString("base64");

/** Uploads over tus, as the workspace's owner. */
export async function tusCases({ mesh: { url }, actors: { owner }, workspaceId }: World): Promise<Case[]> {
  const uploadId = await beginUpload(owner, workspaceId);
  const tus = { authorization: `Bearer ${owner.secret}`, "tus-resumable": "1.0.0" };
  const over = (what: string, reasons: readonly Reason[], request: RawRequest): Case => ({
    what: `tus: ${what}`,
    reasons,
    send: () => http1(url, { ...request, headers: { ...tus, ...request.headers } }),
  });
  const metadata = (filename: string, workspace = workspaceId) =>
    `workspace_id ${base64(workspace)},filename ${base64(filename)}`;
  const creating = (what: string, headers: Record<string, string>, reasons: readonly Reason[] = [INVALID_ARGUMENT]) =>
    over(what, reasons, {
      path: uploads,
      headers: { "upload-length": "3", "upload-metadata": metadata("a.txt"), ...headers },
    });
  const patch = { "content-type": "application/offset+octet-stream", "upload-offset": "0" };
  const patching = (what: string, headers: Record<string, string>, reasons: readonly Reason[]) =>
    over(what, reasons, {
      method: "PATCH",
      path: `${uploads}/${uploadId}`,
      headers: { ...patch, ...headers },
      body: "abc",
    });
  return [
    ...Object.entries(badNames).map(([what, name]) =>
      creating(`a file name with ${what}`, { "upload-metadata": metadata(name) }),
    ),
    creating("a workspace that is no id", { "upload-metadata": metadata("a.txt", "../1") }),
    creating("no file name", { "upload-metadata": `workspace_id ${base64(workspaceId)}` }),
    creating("no metadata", { "upload-metadata": "" }),
    creating("metadata that is no base64", { "upload-metadata": `workspace_id ${base64(workspaceId)},filename \\x00` }),
    creating("metadata that is no UTF-8", { "upload-metadata": `workspace_id ${base64(workspaceId)},filename wyg=` }),
    creating("a length below 0", { "upload-length": "-1" }),
    creating("a length that is no number", { "upload-length": "many" }),
    creating("a length beyond all disks", { "upload-length": "9007199254740991" }, [FILE_TOO_LARGE, INVALID_ARGUMENT]),
    creating("two lengths", { "upload-defer-length": "1" }),
    creating("a checksum of no known kind", { "upload-concat": "sideways" }),
    creating("a final upload of nothing", { "upload-concat": "final;", "upload-length": "0" }),
    over("another version of the protocol", [INVALID_ARGUMENT, MALFORMED, UNIMPLEMENTED, Reason.UNSPECIFIED], {
      path: uploads,
      headers: { "tus-resumable": "0.2.2", "upload-length": "3", "upload-metadata": metadata("a.txt") },
    }),
    patching("a wrong content type", { "content-type": "text/plain" }, [INVALID_ARGUMENT, MALFORMED]),
    patching("an offset that is no number", { "upload-offset": "here" }, [INVALID_ARGUMENT]),
    patching("an offset beyond what came", { "upload-offset": "7" }, [Reason.UPLOAD_OFFSET_CONFLICT]),
    patching("a checksum of no known kind", { "upload-checksum": "crc7 AAAA" }, [INVALID_ARGUMENT]),
    patching("a checksum that does not fit", { "upload-checksum": `sha1 ${Buffer.alloc(20).toString("base64")}` }, [
      Reason.CHECKSUM_MISMATCH,
    ]),
    ...["../x", "%2e%2e%2f", "%00", "%E2%80%AE", "1", "n".repeat(4096)].map((id) =>
      over(`an upload called ${id.slice(0, 20)}`, [NOT_FOUND, INVALID_ARGUMENT, MALFORMED], {
        method: "PATCH",
        path: `${uploads}/${id}`,
        headers: patch,
        body: "abc",
      }),
    ),
  ];
}

/** Paths of files and others, as the workspace's owner. */
export function pathCases({ mesh: { url }, actors: { owner }, documentId }: World): Case[] {
  const signedIn = { authorization: `Bearer ${owner.secret}` };
  const reasons = [NOT_FOUND, INVALID_ARGUMENT, MALFORMED, UNIMPLEMENTED];
  const paths = [
    "/files/documents/../../etc/passwd",
    "/files/documents/..%2f..%2fetc%2fpasswd",
    "/files/documents/%2e%2e/%2e%2e/etc/passwd",
    "/files/documents/%00",
    "/files/documents/%E2%80%AEfdp",
    "/files/documents/%zz",
    `/files/documents/${"n".repeat(4096)}`,
    `/files/documents/${documentId}/versions/0`,
    `/files/documents/${documentId}/versions/-1`,
    `/files/documents/${documentId}/versions/1e9`,
    `/files/documents/${documentId}/versions/4294967296`,
    `/files/documents/${documentId}/versions/99`,
    `/files/documents/${documentId}/versions/..`,
    `/files/documents/${documentId}/nonsense`,
    "/files",
    "/..",
    "/%",
    "/nonsense",
    "/.env",
  ];
  return paths.map((path) => ({
    what: `GET ${path.slice(0, 60)}`,
    reasons,
    send: () => http1(url, { method: "GET", path, headers: signedIn }),
  }));
}

/** Bytes that are no request. The connection is closed, with a clear answer where HTTP has one. */
export function byteCases({ mesh: { url } }: World): Case[] {
  const over = (what: string, sent: Uint8Array | string, reasons: readonly Reason[] = [MALFORMED]): Case => ({
    what,
    reasons,
    send: () => bytes(url, sent),
  });
  const preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
  return [
    over("noise", Buffer.from("00ff00ff0d0a0d0a", "hex")),
    over("a line that is no request", "HELLO\r\n\r\n"),
    over("an HTTP of the future", "GET / HTTP/9.9\r\nhost: x\r\n\r\n"),
    over("a header that is none", "GET / HTTP/1.1\r\nhost: x\r\nbad header\r\n\r\n"),
    over("a header with NUL", "GET / HTTP/1.1\r\nhost: x\r\na: b\u0000c\r\n\r\n"),
    over("headers of 64 KiB", `GET / HTTP/1.1\r\nhost: x\r\na: ${"b".repeat(65_536)}\r\n\r\n`),
    over("two lengths", "POST /x HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab"),
    over("a TLS greeting", Buffer.from("1603010200010001fc0303", "hex")),
    over("HTTP/2 with a frame that is none", Buffer.concat([Buffer.from(preface), Buffer.alloc(64, 0xff)]), []),
    over("HTTP/2 that ends in its preface", preface.slice(0, 10), []),
  ];
}
