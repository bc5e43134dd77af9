// SPDX-License-Identifier: MPL-2.0
// Where the keyboard is. It is given only to whoever has none, and nobody loses it with what is taken
// away, or put elsewhere in a list, under it: it stays as near as can be, on what says where that is.

let last: { at: HTMLElement; around: HTMLElement[] } | null = null;

const isNowhere = () => document.activeElement === null || document.activeElement === document.body;

// For what appears: taken from nobody who has gone on meanwhile.
export function offerFocus(at: HTMLElement | null): void {
  if (isNowhere()) at?.focus();
}

// Where one was when one asked for something: what comes of it may take the focus only from there.
export const isStillAt = (at: Element | null) => isNowhere() || document.activeElement === at;

function aroundOf(at: HTMLElement): HTMLElement[] {
  const around = [];
  for (let one = at.parentElement; one; one = one.parentElement) around.push(one);
  return around;
}

// A list, the heading of a part, a part with a name; never a button, which a key still held would press.
function placeOf(one: HTMLElement): HTMLElement | null {
  if (!one.isConnected) return null;
  if (one.tabIndex >= 0) return one;
  const heading = document.getElementById(one.getAttribute("aria-labelledby") ?? "");
  const place = heading ?? (one.hasAttribute("aria-label") ? one : one.querySelector<HTMLElement>("h1"));
  if (place && place.tabIndex < 0) place.tabIndex = -1;
  return place;
}

function lost(): void {
  if (!last || !isNowhere()) return;
  const { at, around } = last;
  last = null;
  if (at.isConnected) at.focus();
  if (!isNowhere()) return;
  for (const one of around) {
    placeOf(one)?.focus();
    if (!isNowhere()) return;
  }
}

addEventListener("focusin", ({ target }) => {
  if (target instanceof HTMLElement) last = { at: target, around: aroundOf(target) };
});
// It goes on to something else, which may take away what it was on before it gets there.
addEventListener("blur", ({ relatedTarget }) => {
  if (relatedTarget) last = null;
}, true);
// Who presses beside everything wants no place.
addEventListener("pointerup", () => {
  if (isNowhere()) last = null;
});
new MutationObserver(lost).observe(document, { childList: true, subtree: true });
