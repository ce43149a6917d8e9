import { ByokError } from "../errors.ts";
import type { KeyringJson } from "../keyring/keyring-json.ts";
import type { Environment } from "./environment.ts";
import { readSetting } from "./read-setting.ts";
import { readText } from "./read-text.ts";
import { warnOfWideMode } from "./warn-of-wide-mode.ts";

const creation = "Make one with: byokit keyring create -o keyring.json";

/**
 * The keyring's JSON, from the variable itself or from the file that it names. Nothing of either is ever repeated.
 *
 * @throws ByokError `options_invalid`
 */
export function readKeyring(env: Environment): KeyringJson {
  const inline = env.BYOK_KEYRING?.trim() ?? "";
  if (/^[[{]/u.test(inline)) return parseText(inline, "BYOK_KEYRING");
  const path = readSetting(env, "BYOK_KEYRING");
  if (path === undefined)
    throw invalid(`BYOK_KEYRING names no keyring: a file's path, or the JSON itself. ${creation}`);
  const which = "that BYOK_KEYRING names";
  const text = readText(path, which);
  warnOfWideMode(path);
  return parseText(text, `The file ${which}`);
}

function parseText(text: string, it: string): KeyringJson {
  if (text.trim() === "") throw invalid(`${it} is empty. ${creation}`);
  // What PowerShell's ">" writes: UTF-16, which reads as UTF-8 with a replacement character or a zero for every second one.
  if (/^\ufffd|\0/u.test(text)) throw invalid(`${it} is not UTF-8. Save it as UTF-8, without a byte order mark.`);
  if (text.startsWith("\ufeff")) throw invalid(`${it} begins with a byte order mark. Save it as UTF-8 without one.`);
  try {
    return JSON.parse(text);
  } catch {
    throw invalid(`${it} is no JSON. ${creation}`);
  }
}

function invalid(message: string): ByokError {
  return new ByokError("options_invalid", message);
}
