// SPDX-License-Identifier: MPL-2.0
// The words of the page, in the language a person chose. A catalogue is a flat object; `{name}` is
// put in, and of `key.one`, `key.other` … the one is taken that the number {n} asks for.
import catalogues from "catalogues";

export type Values = Record<string, string | number>;
export type Text = (key: string, values?: Values) => string;

const KEPT = "language";
const FIRST = "fr";

export const languages = Object.entries(catalogues)
  .map(([code, catalogue]) => ({ code, name: catalogue["language.name"] }));

export function chosenLanguage(): string {
  const wished = [localStorage.getItem(KEPT) ?? "", ...navigator.languages]
    .map((tag) => tag.slice(0, 2).toLowerCase());
  return wished.find((code) => code in catalogues) ?? FIRST;
}

export function keepLanguage(code: string): void {
  localStorage.setItem(KEPT, code);
}

export function textIn(code: string): Text {
  const catalogue = catalogues[code];
  const plural = new Intl.PluralRules(code);
  return (key, values = {}) => {
    const found = catalogue[key] ??
      catalogue[`${key}.${plural.select(Number(values.n))}`] ?? catalogue[`${key}.other`] ?? key;
    return found.replace(/\{(\w+)\}/g, (_, name) => String(values[name] ?? ""));
  };
}

export function hasText(code: string, key: string): boolean {
  return key in catalogues[code];
}
