/** Latin-1 keeps every byte as it is, and a key is ASCII: so bytes are looked through as a text. */
export function toLatin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1");
}

/** In memory of its own: small Buffers share theirs, which readers may hand on. */
export function fromLatin1(text: string): Uint8Array<ArrayBuffer> {
  const bytes = Buffer.alloc(text.length);
  bytes.write(text, "latin1");
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
