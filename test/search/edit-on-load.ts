/** Loaded ahead of everything else: edits files of the source as they are loaded, and leaves the tree as it is. */
import { registerHooks } from "node:module";
import { pathToFileURL } from "node:url";

/** An edit of one file below `src`. `find` stands in it exactly once. */
export interface Edit {
  readonly file: string;
  readonly find: string;
  readonly replace: string;
}

const edits = JSON.parse(process.env["BYOKIT_EDITS"] ?? "[]") as readonly Edit[];
const source = new URL("../../src/", import.meta.url);

registerHooks({
  load(url, context, nextLoad) {
    const loaded = nextLoad(url, context);
    const mine = edits.filter(({ file }) => new URL(file, source).href === url || pathToFileURL(file).href === url);
    if (mine.length === 0) return loaded;
    let text = Buffer.from((loaded.source ?? "") as Uint8Array).toString();
    for (const { file, find, replace } of mine) {
      const parts = text.split(find);
      if (parts.length !== 2) throw new Error(`"${find}" stands ${parts.length - 1} times in ${file}.`);
      text = parts.join(replace);
    }
    return { ...loaded, source: text };
  },
});
