import type { DoubleRequest } from "./double.ts";

/** A form's texts, and its file; none where the body is no form. */
export async function formOf({ headers, body }: DoubleRequest): Promise<{
  readonly field: (name: string) => string | undefined;
  readonly file: Buffer | undefined;
}> {
  const type = headers["content-type"] ?? "";
  const form = await new Response(new Uint8Array(body), { headers: { "content-type": type } })
    .formData()
    .catch(() => null);
  const file = form?.get("file");
  return {
    field: (name) => {
      const value = form?.get(name);
      return typeof value === "string" ? value : undefined;
    },
    file: file instanceof Blob ? Buffer.from(await file.arrayBuffer()) : undefined,
  };
}
