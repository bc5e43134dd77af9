// SPDX-License-Identifier: MPL-2.0
// Speaking while a button is held, and messages of voice, which arrive on any line. The node has
// one microphone: one thing is said at a time, and none is left open by a page that is gone.
import { useEffect, useRef, useState } from "preact/hooks";
import { isShortcut, SHORTCUTS } from "./keys";
import { isMicrophoneOn, type Message } from "./state";
import { errorText, Failure, Icon, number, useAround, useAsking } from "./ui";

const HOLD_MS = 300; // pressed for less, it stays on until it is pressed again
const SECOND_MS = 1000;

type Kind = "talk" | "message";

export interface Voice {
  kind: Kind | ""; // what is being said
  said: string; // the node's word on it
  failure: string;
  ending: boolean;
  begin(kind: Kind): void;
  end(): void;
}

export function useVoice(live: boolean): Voice {
  const all = useAround();
  const { model, text, say } = all;
  const [shown, show] = useState({ kind: "" as Voice["kind"], said: "", failure: "", ending: false });
  const now = useRef({ kind: "" as Voice["kind"], said: "", ended: false, orphan: false });
  const stop = () => void model.ask("voice stop").catch(() => undefined); // what it ends answers
  const begin = async (kind: Kind) => {
    if (now.current.kind) return;
    now.current = { kind, said: "", ended: false, orphan: false };
    show({ kind, said: "", failure: "", ending: false });
    let failure = "";
    try {
      const result = await model.ask(kind === "talk" ? "talk" : "voice send", {}, (said) => {
        now.current.said = said;
        show((before) => ({ ...before, said }));
      });
      if (result.duration_ms) say(text("voice.sent"));
    } catch (error) {
      const { said, ended } = now.current;
      // Let go of before it began: nobody was to be heard.
      if (!(kind === "talk" && ended && !said)) failure = errorText(all, error);
      now.current.orphan = model.state.link !== "live";
    } finally {
      now.current.kind = "";
      show({ kind: "", said: "", failure, ending: false });
    }
  };
  const end = () => {
    if (!now.current.kind || now.current.ended) return;
    now.current.ended = true;
    show((before) => ({ ...before, ending: true }));
    stop();
  };
  useEffect(() => {
    addEventListener("pagehide", end);
    return () => {
      removeEventListener("pagehide", end);
      end();
    };
  }, []);
  useEffect(() => {
    // The line to the node broke meanwhile: nobody sees here any more that it records.
    if (!live || !now.current.orphan) return;
    now.current.orphan = false;
    stop();
  }, [live]);
  return { ...shown, begin, end };
}

function Elapsed() {
  const [seconds, setSeconds] = useState(0);
  useEffect(() => {
    const since = performance.now();
    const timer = setInterval(
      () => setSeconds(Math.floor((performance.now() - since) / SECOND_MS)), SECOND_MS / 4);
    return () => clearInterval(timer);
  }, []);
  return <span class="elapsed" aria-hidden="true">
    {Math.floor(seconds / 60)}:{String(seconds % 60).padStart(2, "0")}</span>;
}

// What is being said, in the bar: whatever part of the meeting is looked at.
export function Speaking({ voice }: { voice: Voice }) {
  const { text } = useAround();
  return (
    <>
      <div class="speaking" role="status">
        {voice.kind && <>
          <span class="recording" aria-hidden="true" />
          <span>{voice.said || text(voice.kind === "talk" ? "voice.opening" : "voice.recording")}</span>
          <Elapsed />
          <button type="button" class="main" aria-disabled={voice.ending} onClick={voice.end}>
            {text(voice.kind === "talk" ? "voice.enough" : "voice.end")}</button>
        </>}
      </div>
      {voice.failure && <Failure>{voice.failure}</Failure>}
    </>
  );
}

export function TalkButton({ voice, blocked }: { voice: Voice; blocked: boolean }) {
  const { model, text } = useAround();
  const since = useRef(0); // it is held down
  const on = voice.kind === "talk";
  const off = blocked || voice.kind === "message";
  // What is drawn may be a frame old: pressed again at once, it is not to be in vain.
  const refused = () => voice.kind === "message" || isMicrophoneOn(model.state);
  const press = () => {
    since.current = 0;
    if (on) {
      voice.end();
    } else if (!refused()) {
      since.current = performance.now();
      voice.begin("talk");
    }
  };
  const release = () => {
    if (since.current && performance.now() - since.current > HOLD_MS) voice.end();
    since.current = 0;
  };
  const latest = useRef({ press, release });
  latest.current = { press, release };
  useEffect(() => {
    const key = (event: KeyboardEvent) => {
      if (event.type === "keyup") return event.code === SHORTCUTS.talk && latest.current.release();
      if (!isShortcut(event, "talk")) return;
      event.preventDefault();
      if (!event.repeat) latest.current.press();
    };
    addEventListener("keydown", key);
    addEventListener("keyup", key);
    return () => {
      removeEventListener("keydown", key);
      removeEventListener("keyup", key);
    };
  }, []);
  const keyed = (event: KeyboardEvent) => {
    if (event.key !== "Enter" && event.key !== " ") return;
    event.preventDefault(); // it is no click
    if (event.type === "keyup") release();
    else if (!event.repeat) press();
  };
  return (
    <button type="button" aria-pressed={on} aria-disabled={off} title={text("bar.talk.hint")}
      class={`talk ${on ? "on" : ""}`} aria-keyshortcuts="Alt+Shift+T"
      onPointerDown={(event) => {
        if (event.button !== 0) return;
        event.currentTarget.setPointerCapture(event.pointerId);
        press();
      }} onPointerUp={release} onPointerCancel={release} onBlur={release}
      onContextMenu={(event) => event.preventDefault()} onKeyDown={keyed} onKeyUp={keyed}
      onClick={(event) => event.detail === 0 && press()}>
      <Icon name="talk" />
      <span class="label">{text("bar.talk")}</span>
      <span class="state">{text(on ? "bar.talk.on" : "bar.talk.off")}</span>
    </button>
  );
}

export const lengthText = ({ text, language }: ReturnType<typeof useAround>, ms: number) =>
  text("chat.voice", { seconds: number(language, Math.max(ms / SECOND_MS, 1), 0) });

// A message of voice in the list, to be heard.
export function Heard({ message, blocked }: { message: Message; blocked: boolean }) {
  const all = useAround();
  const { model, text } = all;
  const { busy, failure, run } = useAsking();
  const [short, setShort] = useState(false); // its end was not there when it was heard
  const { duration_ms, whole } = message.voice!;
  const length = lengthText(all, duration_ms);
  const play = () => run(async () => {
    setShort(false);
    setShort(!(await model.ask("voice play", { id: message.id })).whole);
  });
  const press = () => {
    if (busy) void model.ask("voice stop").catch(() => undefined);
    else if (!blocked) void play();
  };
  const verb = text(busy ? "chat.voice.stop" : "chat.voice.play");
  return (
    <>
      <div class="row">
        <span>{length}</span>
        <button type="button" aria-disabled={blocked && !busy} onClick={press}
          aria-label={text("pair", { name: verb, value: `${message.name}, ${length}` })}>{verb}</button>
        {busy && <progress aria-label={length} />}
      </div>
      {!whole && <p class="hint">{text(short ? "chat.voice.rest" : "chat.voice.coming")}</p>}
      {failure && <Failure>{failure}</Failure>}
    </>
  );
}

// The node says that live voice does not reach someone, and what would.
export function Offer({ said, accept, decline }: {
  said: string; accept(): void; decline(): void;
}) {
  const { text } = useAround();
  return (
    <p class="banner offer">
      <span>{said} {text("voice.offer")}</span>
      <button type="button" onClick={accept}>{text("voice.record")}</button>
      <button type="button" class="quiet" onClick={decline}>{text("voice.decline")}</button>
    </p>
  );
}
