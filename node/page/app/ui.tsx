// SPDX-License-Identifier: MPL-2.0
// What all screens share: the model and the words at hand, amounts in words, small parts.
import { Component, createContext, type ComponentChildren, type FunctionComponent } from "preact";
import { useContext, useLayoutEffect, useRef, useState } from "preact/hooks";
import { Refused } from "./link";
import type { Model } from "./model";
import { Spoken } from "./spoken";
import { hasText, textIn, type Text } from "./texts";

export interface Around {
  model: Model;
  language: string;
  text: Text;
  say(sentence: string): void; // to a screen reader, politely
}

export const Surroundings = createContext<Around>(null!);
export const useAround = () => useContext(Surroundings);

export function around(model: Model, language: string, say: Around["say"]): Around {
  return { model, language, text: textIn(language), say };
}

// ---- words ----

const KB = 1000;

export function sizeText({ text, language }: Around, bytes: number): string {
  const [unit, divisor] = bytes < KB ? ["unit.B", 1] : bytes < KB * KB ? ["unit.kB", KB]
    : ["unit.MB", KB * KB];
  const digits = divisor === KB * KB && bytes < 10 * KB * KB ? 1 : 0;
  return text(unit, { n: number(language, bytes / divisor, digits) });
}

export const rateText = ({ text, language }: Around, bps: number) => bps < KB * KB
  ? text("unit.kbps", { n: number(language, bps / KB, 0) })
  : text("unit.Mbps", { n: number(language, bps / KB / KB, 1) });

export const number = (language: string, value: number, digits: number) =>
  value.toLocaleString(language, { minimumFractionDigits: digits, maximumFractionDigits: digits });

// A formatter is made once: making one costs as much as drawing ten lines.
const formats = new Map<string, Intl.DateTimeFormat>();

function format(language: string, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const name = `${language} ${options.dateStyle ?? ""}`;
  const known = formats.get(name) ?? new Intl.DateTimeFormat(language, options);
  formats.set(name, known);
  return known;
}

// The hour, and the day when it is not today.
export function momentText({ language }: Around, date: Date): string {
  const today = date.toDateString() === new Date().toDateString();
  return format(language, today ? { timeStyle: "short" }
    : { dateStyle: "short", timeStyle: "short" }).format(date);
}

// The words every node has for these are one person's language; others' choices stay as they are.
export const choiceText = ({ text, language }: Around, choice: string) =>
  hasText(language, `choice.${choice}`) ? text(`choice.${choice}`) : choice;

// What went wrong, and what to do: the node's own sentence when it has said one.
export function errorText({ text, language }: Around, error: unknown): string {
  if (!(error instanceof Refused)) throw error;
  if (error.code === "http-413") return text("documents.large");
  // Where the page can say what to do next here, the node's sentence, which speaks of commands, rests.
  if (error.reason && hasText(language, `refused.${error.reason}`)) {
    return text(`refused.${error.reason}`);
  }
  if (error.message) return error.message.charAt(0).toUpperCase() + error.message.slice(1) + ".";
  const key = `error.${error.code}`;
  const found = text(key);
  return found === key ? text("error.unknown") : found;
}

// ---- files ----

// Hands a text made here to the browser, as a file to keep.
export function keep(name: string, type: string, text: string): void {
  const address = URL.createObjectURL(new Blob([text], { type: `${type};charset=utf-8` }));
  const link = document.createElement("a");
  link.href = address;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 60_000); // it may be read late
}

// ---- parts ----

// A part drawn anew only when something it is given is another thing: for each of hundreds in a list.
export function kept<P extends object>(Part: FunctionComponent<P>): FunctionComponent<P> {
  class Kept extends Component<P> {
    shouldComponentUpdate(next: P) {
      const was = this.props as Record<string, unknown>;
      return Object.entries(next).some(([name, value]) => was[name] !== value);
    }
    render() {
      return <Part {...this.props as P} />;
    }
  }
  return Kept as unknown as FunctionComponent<P>;
}

// Signs that are not seen and turn the writing around, or hide: an "exe" may look like a "pdf".
const UNSEEN = /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2064\u2066-\u206f\ufeff]/g;

// The same with each of them told: where no markup can be, and the sentence around is not ours to turn.
export const shownName = (name: string) => name.replace(UNSEEN, (sign) =>
  `[U+${sign.charCodeAt(0).toString(16).toUpperCase().padStart(4, "0")}]`);

// A name or a title written by someone: it steers nothing around it, and hides nothing.
export const Said = ({ children }: { children: string }) =>
  <bdi class="said">{shownName(children)}</bdi>;

// Seen by whoever pressed a button above the edge of the window.
export function Failure({ children }: { children?: ComponentChildren }) {
  const place = useRef<HTMLParagraphElement>(null);
  useLayoutEffect(() => place.current!.scrollIntoView({ block: "nearest" }), []);
  return <p class="failure" role="alert" ref={place}>{children}</p>;
}

interface Asking {
  busy: boolean;
  failure: string;
  reason: string; // the node's word for it, perhaps
  asker: { current: Element | null }; // what had the focus then
  // Runs once at a time; what fails is a sentence.
  run(work: () => Promise<void>): Promise<void>;
}

export function useAsking(): Asking {
  const all = useAround();
  const [busy, setBusy] = useState(false);
  const [{ failure, reason }, setFailed] = useState({ failure: "", reason: "" });
  const asker = useRef<Element | null>(null);
  const running = useRef(false); // what is drawn may be a frame old
  const run = async (work: () => Promise<void>) => {
    if (running.current) return;
    running.current = true;
    asker.current = document.activeElement;
    setBusy(true);
    setFailed({ failure: "", reason: "" });
    try {
      await work();
    } catch (error) {
      setFailed({ failure: errorText(all, error), reason: (error as Refused).reason });
    } finally {
      running.current = false;
      setBusy(false);
    }
  };
  return { busy, failure, reason, asker, run };
}

interface FormProps {
  children: ComponentChildren;
  label?: string;
  labelledby?: string;
  submit(): void;
}

// The policy of the page forbids a form to be sent anywhere.
export const Form = ({ children, label, labelledby, submit }: FormProps) => (
  <form aria-label={label} aria-labelledby={labelledby} onSubmit={(event) => {
    event.preventDefault();
    submit();
  }}>{children}</form>
);

// Closed by the browser, which gives the focus back to whoever opened it, and told there and then:
// the `close` event comes a frame later, when the focus may be elsewhere and another dialog open.
export function Dialog({ title, close, closeText, wide, children }: {
  title: string; close(): void; closeText: string; wide?: boolean; children: ComponentChildren;
}) {
  const place = useRef<HTMLDialogElement>(null);
  const beside = useRef(false); // pressed there: letting go there of what was selected inside is none
  const end = () => {
    const dialog = place.current;
    if (!dialog) return; // it is taken away already
    dialog.close();
    close();
  };
  useLayoutEffect(() => { // before the next key
    const dialog = place.current!;
    dialog.showModal();
    return () => dialog.close();
  }, []);
  return (
    <dialog ref={place} class={wide ? "wide" : ""} aria-labelledby="dialog-title" onClose={end}
      onCancel={(event) => event.target === place.current && end()}
      onPointerDown={({ target }) => {
        beside.current = target === place.current;
      }}
      onClick={({ target }) => target === place.current && beside.current && end()}>
      <div class="dialog">
        <div class="head">
          <h2 id="dialog-title" tabIndex={-1}>{title}</h2>
          <button type="button" class="quiet" onClick={end}>{closeText}</button>
        </div>
        {children}
        <Spoken />
      </div>
    </dialog>
  );
}

const PATHS = {
  mic: "M12 3a3 3 0 0 0-3 3v5a3 3 0 0 0 6 0V6a3 3 0 0 0-3-3zM5 11a7 7 0 0 0 14 0M12 18v3",
  cam: "M3 7h11v10H3zM14 11l6-3v8l-6-3",
  talk: "M4 10v4h4l5 4V6l-5 4zM16.5 9a4 4 0 0 1 0 6M19 6.5a8 8 0 0 1 0 11",
  screen: "M3 5h18v11H3zM8 20h8M12 16v4",
  hand: "M8 12V5.5a1.5 1.5 0 0 1 3 0V11 4.5a1.5 1.5 0 0 1 3 0V11 5.5a1.5 1.5 0 0 1 3 0V14a6 6 0 0 1-6 7c-3 0-4.300-2-6.500-6-.8-1.500 1-2.500 2-1.500L8 15",
  settings: "M4 7h10M18 7h2M4 17h2M10 17h10M16 5v4M8 15v4",
  leave: "M10 4H5v16h5M14 8l4 4-4 4M18 12H9",
};

export const Icon = ({ name, off }: { name: keyof typeof PATHS; off?: boolean }) => (
  <svg viewBox="0 0 24 24" width="24" height="24" aria-hidden="true" class="icon">
    <path d={PATHS[name]} />
    {off && <path d="M4 4l16 16" />}
  </svg>
);
