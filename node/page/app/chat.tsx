// SPDX-License-Identifier: MPL-2.0
// The messages, and the one being written: it is kept until the node has recorded it.
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { announces } from "./announce";
import { Refused } from "./link";
import type { Meeting, Message, State } from "./state";
import { errorText, Failure, Form, Icon, kept, momentText, Said, useAround } from "./ui";
import { Heard, lengthText, type Voice } from "./voice";

const SHOWN_FIRST = 100; // messages drawn; more are asked for
const LONG = 1200; // characters, from which on only the beginning is shown
const ANNOUNCE_MS = 4000; // between two announcements of a busy chat
const NEAR_PX = 80; // of the end: new messages are followed

// The newest of what came since the last announcement, not each of a crowd.
function useAnnouncements(messages: Message[], self: string): void {
  const all = useAround();
  const { text, say } = all;
  const told = useRef(messages.length);
  const timer = useRef(0);
  const latest = useRef(messages);
  latest.current = messages;
  useEffect(() => {
    if (timer.current || messages.length <= told.current) return;
    timer.current = window.setTimeout(() => {
      timer.current = 0;
      const fresh = latest.current.slice(told.current).filter((one) => one.author !== self);
      told.current = latest.current.length;
      const last = fresh[fresh.length - 1];
      if (!last || !announces()) return;
      say(text(fresh.length === 1 ? "announce.single" : "announce.several",
        { n: fresh.length, name: last.name, text: last.voice
          ? lengthText(all, last.voice.duration_ms) : last.text.slice(0, 200) }));
    }, ANNOUNCE_MS);
  }, [messages]);
  useEffect(() => () => clearTimeout(timer.current), []);
}

const Time = ({ at }: { at: string }) =>
  <time dateTime={at}>{momentText(useAround(), new Date(at))}</time>;

const Line = kept(({ message, own, speaking }: {
  message: Message; own: boolean; speaking: boolean;
}) => {
  const { text } = useAround();
  const [whole, setWhole] = useState(message.text.length <= LONG);
  const shown = whole ? message.text : `${message.text.slice(0, LONG)}…`;
  return (
    <li class={own ? "own" : ""}>
      <p class="by"><Said>{message.name}</Said> <Time at={message.sent_at} /></p>
      {message.voice ? <Heard message={message} blocked={speaking} />
        : <p class="text" dir="auto">{shown}</p>}
      {!whole && <button type="button" class="quiet" onClick={() => setWhole(true)}>
        {text("chat.long")}</button>}
    </li>
  );
});

function Writing({ meeting, sent }: { meeting: Meeting; sent(): void }) {
  const all = useAround();
  const { model, text } = all;
  const kept = `unsent-${meeting.id}`;
  const [words, setWords] = useState(() => localStorage.getItem(kept) ?? "");
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState("");
  const write = (value: string) => {
    setWords(value);
    if (value) localStorage.setItem(kept, value);
    else localStorage.removeItem(kept);
  };
  const submit = async () => {
    if (busy || !words.trim()) return;
    setBusy(true);
    setFailure("");
    try {
      await model.ask("say", { text: words });
      write("");
      sent();
    } catch (error) {
      const lost = error instanceof Refused && error.code === "lost" &&
        model.state.link === "lost";
      setFailure(lost ? text("chat.uncertain") : errorText(all, error));
    } finally {
      setBusy(false);
    }
  };
  return (
    <Form submit={submit}>
      {failure && <Failure>{failure}</Failure>}
      <div class="writing">
        <textarea rows={2} value={words} aria-label={text("chat.label")} dir="auto"
          placeholder={text("chat.label")} aria-describedby="chat-hint" maxLength={4096}
          onInput={(event) => write(event.currentTarget.value)}
          onKeyDown={(event) => {
            if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
              event.preventDefault();
              void submit();
            }
          }} />
        <button type="submit" class="main" aria-disabled={busy}>{text("chat.send")}</button>
      </div>
      <p class="hint" id="chat-hint">{text("chat.hint")}</p>
    </Form>
  );
}

export function Chat({ state, meeting, voice }: {
  state: State; meeting: Meeting; voice: Voice;
}) {
  const { text } = useAround();
  const { messages, id } = state;
  const [count, setCount] = useState(SHOWN_FIRST);
  const [follows, setFollows] = useState(true);
  const [held, hold] = useState(false); // what has the focus does not vanish under it
  const list = useRef<HTMLOListElement>(null);
  const hidden = Math.max(messages.length - count, 0);
  useAnnouncements(messages, id);
  const toEnd = () => {
    list.current!.scrollTop = list.current!.scrollHeight;
    setFollows(true);
  };
  useLayoutEffect(() => {
    if (follows) toEnd();
  }, [messages.length, hidden]);
  const latest = useRef(follows);
  latest.current = follows;
  useEffect(() => {
    const watch = new ResizeObserver(() => {
      if (latest.current) list.current!.scrollTop = list.current!.scrollHeight;
    });
    watch.observe(list.current!);
    return () => watch.disconnect();
  }, []);
  return (
    <section class="chat" aria-labelledby="chat-title">
      <header>
        <h2 id="chat-title">{text("chat.title")}</h2>
        <button type="button" aria-disabled={voice.kind === "talk" || voice.ending}
          aria-pressed={voice.kind === "message"} class={voice.kind === "message" ? "on" : ""}
          title={text("voice.record.hint")}
          onClick={() => voice.kind === "message" ? voice.end() : voice.begin("message")}>
          <Icon name="mic" /> {text("chat.record")}</button>
      </header>
      <ol class="scroll messages" ref={list} tabIndex={0} aria-labelledby="chat-title"
        onScroll={({ currentTarget: at }) =>
          setFollows(at.scrollHeight - at.scrollTop - at.clientHeight < NEAR_PX)}>
        {hidden > 0 && <li class="more"><button type="button" class="quiet"
          onClick={() => {
            setFollows(false);
            setCount(count + SHOWN_FIRST);
          }}>{text("chat.earlier", { n: hidden })}</button></li>}
        {messages.slice(hidden).map((message) =>
          <Line key={message.id} message={message} own={message.author === id}
            speaking={voice.kind !== ""} />)}
        {messages.length === 0 && <li class="hint">{text("chat.empty")}</li>}
      </ol>
      <div class="ending">
        {(!follows || held) && <button type="button" class="quiet newest"
          onFocus={() => hold(true)} onBlur={() => hold(false)}
          onClick={() => {
            list.current!.focus();
            toEnd();
          }}>{text("chat.newest")}</button>}
      </div>
      <Writing meeting={meeting} sent={toEnd} />
    </section>
  );
}
