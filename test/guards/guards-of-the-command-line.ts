import { type Guard, guardsOf } from "./guard.ts";

/** What is typed is not shown, and no process loses another's change. */
export const guardsOfTheCommandLine: readonly Guard[] = [
  ...guardsOf("cli/read-key.ts", "cli/read-key.test.ts", [
    ["no echo", "output: nowhere", "output: process.stderr", "at a terminal"],
    ["a key's end", "if (text.length > maxLength) throw", "if (false) throw", "no end"],
  ]),
  ...guardsOf("cli/hold-lock.ts", "cli/token-file.test.ts", [
    ["one process at a time", 'file.exec("BEGIN EXCLUSIVE");', "", "only slow"],
    ["a wait for the others", "PRAGMA busy_timeout", "PRAGMA no_pragma", "only slow"],
    ["a lock that is held", "errcode === busy", "false", "only slow"],
    ["a lock for its owner only", "mode: 0o600, ", "", "only its owner's"],
  ]),
  ...guardsOf("cli/read-database.ts", "cli/settings.test.ts", [
    [
      "no database but the one that is named",
      "if (given === undefined) throw isLost(env);",
      'if (given === undefined) return { kind: "sqlite", path: "/dev/null" };',
      "opens none and says both forms",
    ],
    ["what else is set", "names.length === 0", "true", "told apart from an environment"],
    [
      "names of files",
      "if (!isMangledUrl(given)) return",
      "if (true) return",
      "(?:sqlite:|localhost:|:memory:|file:).*is refused",
    ],
  ]),
  ...guardsOf("cli/open-store.ts", "cli/settings.test.ts", [
    ["no new file by a path with a mistake", "&& mayBeMissing", "", "founds none, and names the path"],
    ["a folder by its last character", 'if (/[/\\\\]$/u.test(path)) return "other";', "", "by its last character"],
    [
      "something else than a file",
      '.isFile() ? "file" : "other"',
      '? "file" : "other"',
      "because it is a (?:folder|device) is",
    ],
    ["a mode of TLS that is none", "|verify-full)$/u.test(mode)", "|.*)$/u.test(mode)", "sslmode=sometimes"],
    ["what the driver refuses", "    make();\n", "", "sslrootcert"],
  ]),
  ...guardsOf("cli/read-server-url.ts", "cli/settings.test.ts", [
    ["one URL", 'text.split("://").length > 2', "false", "h1/dbpostgres"],
    ["a password that ends the host", "hasSplitPassword(url), ", "false, ", "(?:u:1[/?#]|@x[/?]).*is refused"],
    ["a port that was lost", "|| hasLostPort(text)", "", "h:/five"],
    ["one host", 'url?.hostname.includes(",") === true', "false", "h1,h2"],
    ["a host", 'url?.hostname === ""', "false", '"postgres:(?://|///db)" is'],
  ]),
  ...guardsOf("cli/read-server-url.ts", "cli/redis-url.test.ts", [
    ["a % that encodes nothing", "/%(?![\\da-f]{2})/iu.test(text) || !canDecode(text)", "false", "planted%zz"],
  ]),
  ...guardsOf("cli/read-setting.ts", "cli/settings.test.ts", [
    ["white space at the ends", "text !== text.trim()", "false", "BYOK_(?:SCHEMA|REDIS_PREFIX) that was mangled"],
    ["quotation marks", '"has a quotation mark at its end"', '""', "of a quoted path"],
    ["what cannot be seen", "[hasHiddenCharacter,", "[() => false,", "u200b.*is refused|BYOK_SCHEMA that was mangled"],
    ["references", "|\\$\\(\\w+\\)|", "|", "PASSWORD.*is refused"],
    ["words for nothing", "undefined|null|nil", "nil", "undefined.*is refused"],
  ]),
  ...guardsOf("cli/read-keyring.ts", "cli/settings.test.ts", [
    [
      "an empty keyring",
      'if (text.trim() === "") throw',
      "if (false) throw",
      "of (?:an empty file|a file of blanks) is",
    ],
    ["a byte order mark", 'if (text.startsWith("\\ufeff")) throw', "if (false) throw", "byte order mark is"],
    ["another encoding", "if (/^\\ufffd|\\0/u.test(text)) throw", "if (false) throw", "UTF-16"],
    ["a warning of its mode", "  warnOfWideMode(path);\n", "", "warned about once"],
  ]),
  ...guardsOf("cli/deployment.ts", "cli/settings.test.ts", [
    ["hosts of nobody", 'naming("BYOK_ENDPOINTS", ', "void (", "nobody.*before anything is opened"],
  ]),
  ...guardsOf("cli/warn-of-wide-mode.ts", "cli/settings.test.ts", [
    ["one warning", "warned.add(path);", "", "warned about once"],
    ["no warning on Windows", 'process.platform === "win32" || ', "", "modes mean nothing"],
    ["a path in a command", ".replaceAll(\"'\", \"'\\\\''\")", "", "warned about once"],
  ]),
  ...guardsOf("cli/write-new-file.ts", "cli/settings.test.ts", [
    ["a file for its owner alone", ', "wx", 0o600)', ', "wx")', "owner's alone, which is a keyring"],
    ["nothing is overwritten", "linkSync(unfinished, path);", "writeFileSync(path, text);", "never overwrites a file"],
    [
      "nothing is left behind",
      "rmSync(unfinished, { force: true });",
      "",
      "leaves nothing behind|owner's alone, which",
    ],
  ]),
  ...guardsOf("cli/escape-text.ts", "cli/output.test.ts", [
    ["control characters", "\\p{Cc}", "", 'has "\\\\u00(?:00|80|9b).* escaped'],
    ["directions of writing", "\\u2028-\\u202e\\u2060-\\u206f", "", "by what is stored"],
    ["halves of characters", "\\p{Cs}", "", "ud800.*escaped"],
  ]),
  ...guardsOf("cli/output.ts", "cli/output.test.ts", [
    ["JSON that steers nothing", '.split("\\n").map(escapeText)', '.split("\\n")', "by what is stored"],
  ]),
  ...guardsOf("cli/format-lines.ts", "cli/output.test.ts", [
    [
      "the width of characters",
      "(widths[at] ?? 0) - stringWidth(cell)",
      "(widths[at] ?? 0) - cell.length",
      "whatever the width",
    ],
    ["no blanks at the end", ".trimEnd()", "", "no blanks at the end"],
    ["lines of text beside", "texts.filter(({ length }) => length > 1)", "texts", "keeps a line of text"],
  ]),
  ...guardsOf("cli/exit-code.ts", "cli/exit-code.test.ts", [
    ["a line that steers nothing", "print(escapeText(line))", "print(line)", "steers a terminal"],
    ["no schema", "|| isWithoutSchema(error)", "", "without a schema"],
  ]),
  ...guardsOf("cli/exit-code.ts", "cli/hostile-input.test.ts", [
    ["hostile arguments", "const what = strangers.get(code);", "const what = message;", "no argument and no variable"],
  ]),
  ...guardsOf("cli/complain-of-node.ts", "cli/old-node.test.ts", [
    ["a release that is too old", "if (major > oldest[0] ||", "if (true ||", "Node [\\d.]+ is too old"],
    ["releases to come", "major > oldest[0] ||", "", "Node (?:23|24|100).*new enough"],
  ]),
  ...guardsOf("cli/print-warnings.ts", "cli/old-node.test.ts", [
    ["warnings of one line", 'process.removeAllListeners("warning");', "", "a warning is one line"],
  ]),
  ...guardsOf("cli/token-file.ts", "cli/token-file.test.ts", [
    ["what others wrote", "change(before)", "change([])", "only slow"],
  ]),
];
