// SPDX-License-Identifier: MPL-2.0
// The shortcuts of a meeting: which there are, and when one is meant. They can be switched off, and
// nothing a person types into a field is taken from it.
import { useEffect, useRef } from "preact/hooks";

export const SHORTCUTS = {
  talk: "KeyT", mic: "KeyM", cam: "KeyC", screen: "KeyE", hand: "KeyH", leave: "KeyL",
} as const;
export type Shortcut = keyof typeof SHORTCUTS;

const KEPT = "keys";
const FIELDS = "input:not([type=checkbox],[type=radio],[type=file]), textarea, select, " +
  "[contenteditable]";

export const keysAreOn = () => localStorage.getItem(KEPT) !== "off";
export const switchKeys = (on: boolean) => localStorage.setItem(KEPT, on ? "on" : "off");

export const letterOf = (name: Shortcut) => SHORTCUTS[name].slice(3);

const isInField = (event: KeyboardEvent) =>
  event.target instanceof Element && event.target.matches(FIELDS);

// Alt + Shift and a letter. Where that writes something into a field, it is written.
export const isShortcut = (event: KeyboardEvent, name: Shortcut) => keysAreOn() &&
  event.altKey && event.shiftKey && !event.ctrlKey && !event.metaKey &&
  event.code === SHORTCUTS[name] &&
  !(isInField(event) && event.key.toUpperCase() !== letterOf(name));

// A question mark, but where it may be meant as one.
const isHelp = (event: KeyboardEvent) => keysAreOn() && event.key === "?" && !event.ctrlKey &&
  !event.altKey && !event.metaKey && !isInField(event);

function useKeys(meant: (event: KeyboardEvent) => boolean, act: () => void): void {
  const latest = useRef(act);
  latest.current = act;
  useEffect(() => {
    const pressed = (event: KeyboardEvent) => {
      // What a dialog covers is not acted on behind it.
      if (event.repeat || !meant(event) || document.querySelector("dialog[open]")) return;
      event.preventDefault();
      latest.current();
    };
    addEventListener("keydown", pressed);
    return () => removeEventListener("keydown", pressed);
  }, []);
}

export const useShortcut = (name: Shortcut, act: () => void) =>
  useKeys((event) => isShortcut(event, name), act);
export const useHelpKey = (act: () => void) => useKeys(isHelp, act);
