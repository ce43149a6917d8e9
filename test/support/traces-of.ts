import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** In which spellings `key` stands in `bytes`: as text, in UTF-16, in hexadecimal or in base64 at any offset. */
export function tracesIn(bytes: Buffer, key: string): string[] {
  return spellings(key).flatMap(([name, spelling]) => (bytes.includes(spelling) ? [name] : []));
}

/** The files below `folder` that hold `key`, with the spelling. A file that goes away meanwhile holds nothing. */
export function tracesBelow(folder: string, key: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true }).flatMap((entry) => {
    if (!entry.isFile()) return [];
    const path = join(entry.parentPath, entry.name);
    return tracesIn(contentOf(path), key).map((spelling) => `${path}: ${spelling}`);
  });
}

function contentOf(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return Buffer.alloc(0);
    throw error;
  }
}

function spellings(key: string): [string, Buffer][] {
  const bytes = Buffer.from(key);
  const hex = bytes.toString("hex");
  /** The characters that the key alone decides, whatever stands before and after it. */
  const base64 = [0, 1, 2].map((offset): [string, Buffer] => {
    const encoded = Buffer.concat([Buffer.alloc(offset), bytes]).toString("base64url");
    return [`base64 at ${offset}`, Buffer.from(encoded.slice(offset === 0 ? 0 : offset + 1, -2))];
  });
  return [
    ["text", bytes],
    ["UTF-16", Buffer.from(key, "utf16le")],
    ["hexadecimal", Buffer.from(hex)],
    ["HEXADECIMAL", Buffer.from(hex.toUpperCase())],
    ...base64,
  ];
}
