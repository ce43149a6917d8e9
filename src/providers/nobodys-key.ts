/** A family of texts that stand where a key belongs, and what is seen in them. */
interface Family {
  readonly looksLike: RegExp;
  readonly seen: string;
}

/** What comes first names a text best. No pattern fits what a vendor issues: letters, digits, `-`, `_`, `.`, `:`, `+`, `/`, `=`. */
const families: readonly Family[] = [
  {
    looksLike: /[\u00ad\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff]/u,
    seen: "it holds an invisible character",
  },
  {
    looksLike: /\*|\.{2,}|[…•●∙·◦○■▪⬤]|#{4,}|x{8,}|^(?:[a-z]{1,8}[-_])*x{3,}$/iu,
    seen: "it is a mask, as consoles show a key that they do not give out again",
  },
  { looksLike: /^(.)\1{5,}$/u, seen: "it is one character, repeated" },
  { looksLike: /^(?:sk|sk[-_](?:proj|svcacct|admin|ant)|xai|re)[-_]?$/iu, seen: "it is the beginning of a key" },
  { looksLike: /^\[object /u, seen: "it is what a program prints for an object" },
  {
    looksLike: /^[[(<]?(?:redacted|hidden|masked|removed|key removed|secret|filtered)[\])>]?$/iu,
    seen: "it is a word that stands for a text taken out",
  },
  {
    looksLike:
      /^[[(<]?(?:[a-z]{1,8}[-_])*(?:null|undefined|none|nil|nan|infinity|true|false|n\/a|void|empty|unset)[\])>]?$/iu,
    seen: "it is a word that a program prints for nothing",
  },
  {
    looksLike: /\$[{(]|^\$|\{\{|^%\w+%$|^(?:process\.env|import\.meta\.env|os\.environ)\b/u,
    seen: "it refers to a variable",
  },
  { looksLike: /^\s*[{[]\s*(?:["'{[\]}]|-?\d)/u, seen: "it is JSON" },
  {
    looksLike: /^(?:authorization|proxy-authorization|(?:xi|x)-api-key)\s*[:=]/iu,
    seen: "it is a header, name included",
  },
  { looksLike: /^bearer/iu, seen: 'it begins with "Bearer", a word of the header' },
  { looksLike: /^(?:token|basic)[\s:]/iu, seen: 'it begins with "Token" or "Basic", a word of the header' },
  {
    looksLike: /^[a-z][a-z0-9+.-]*:\/\/|^www\.|^(?:[a-z0-9-]+\.)+(?:com|io|ai|org|net)(?:[/:]|$)/iu,
    seen: "it is a URL",
  },
  {
    looksLike:
      /^(?:(?:export|set|setx)\s+)?[-$?&]*[a-z_][\w-]*\s*=\s*[^=\s]|^(?:[a-z]+[-_ ])*(?:api)?(?:key|token|secret)\s*:\s*\S/iu,
    seen: "it is an assignment, name included",
  },
  { looksLike: /[<>]/u, seen: "it is a placeholder in angle brackets" },
  {
    looksLike:
      /placeholder|(?:^|[^a-z])your[a-z_ -]{0,40}(?:key|token|secret)|^(?:change|replace)[-_ ]?(?:me|this)$|(?:key|token|secret)[-_ ](?:goes[-_ ])?here$|^(?:(?:my[-_ ]?)?api[-_ ]?key|todo|tbd|fixme|dummy|changeit)$/iu,
    seen: "it is a placeholder",
  },
  { looksLike: /^_*[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)*_(?:KEY|TOKEN|SECRET)_*$/u, seen: "it is the name of a variable" },
  { looksLike: /["'`“”„‘’«»]/u, seen: "it has quotation marks" },
  { looksLike: /%[0-9a-f]{2}/iu, seen: "it is encoded for a URL" },
  { looksLike: /\\/u, seen: "it has a backslash" },
  { looksLike: /[,;]/u, seen: "it has a comma or a semicolon" },
  { looksLike: /[[\](){}]/u, seen: "it has brackets" },
];

/** Why a text cannot be a key of any provider; `undefined` where it may be one. Never holds the text. */
export function findNobodysKey(text: string): string | undefined {
  return families.find(({ looksLike }) => looksLike.test(text))?.seen;
}
