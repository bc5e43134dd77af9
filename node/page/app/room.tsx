// SPDX-License-Identifier: MPL-2.0
// A meeting: its parts side by side where there is room, else one at a time; and the bar that is
// always in reach.
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { Chat } from "./chat";
import { Documents } from "./documents";
import { offerFocus } from "./focus";
import { HandButton } from "./hands";
import { Help } from "./help";
import { Invite } from "./invite";
import { letterOf, useHelpKey, useShortcut } from "./keys";
import { Motions } from "./motions";
import { People } from "./people";
import { Preview } from "./preview";
import { Settings } from "./settings";
import { isMicrophoneOn, type Doc, type Meeting, type Peer, type Source, type State } from "./state";
import { Stage } from "./tiles";
import { Icon, Said, useAround, useAsking } from "./ui";
import { Offer, Speaking, TalkButton, useVoice, type Voice } from "./voice";
import { LinkButton, LinkScreen } from "./way";

const PARTS = ["chat", "people", "documents", "motions"] as const;

const CONTROLS = [
  { kind: "voice", name: "mic" },
  { kind: "video", name: "cam" },
  { kind: "screen", name: "screen" },
] as const;

function Control({ kind, name, sources, fail }: {
  kind: Source["kind"]; name: "mic" | "cam" | "screen"; sources: Source[];
  fail(sentence: string): void;
}) {
  const { model, text, say } = useAround();
  const { busy, failure, run } = useAsking();
  const on = sources.some((source) => source.kind === kind);
  const [is, other] = on ? ["on", "off"] : ["off", "on"];
  const toggle = () => run(async () => {
    fail("");
    await model.ask(`${name} ${on ? "off" : "on"}`);
    say(text("pair", { name: text(`bar.${name}`), value: text(`bar.${name}.${other}`) }));
  });
  useShortcut(name, toggle);
  useEffect(() => {
    if (failure) fail(failure);
  }, [failure]);
  return (
    <button type="button" aria-pressed={on} onClick={toggle} class={on ? "on" : ""}
      aria-keyshortcuts={`Alt+Shift+${letterOf(name)}`}>
      <Icon name={name} off={!on} />
      <span class="label">{text(`bar.${name}`)}</span>
      <span class="state">
        {text(busy ? "bar.wait" : `bar.${name}.${is}`)}</span>
    </button>
  );
}

const PACKET_GOOD_MS = 20; // voice in longer packets spares a line

// What the line makes of this node's sources: said when it is less than they would be, or when it
// carries little to someone; a good line needs no sentence.
function reasonsOf(sources: Source[], peers: Peer[]): string[] {
  const weak = peers.some((peer) => peer.state === "up" && peer.reason);
  return sources.filter((source) => weak || (source.kind === "voice"
    ? source.packet_ms > PACKET_GOOD_MS : source.codec === "none" || source.codec === "webp"))
    .map((source) => source.reason).filter(Boolean);
}

function Bar({ state, voice }: { state: State; voice: Voice }) {
  const { model, text, say, language } = useAround();
  const [failure, fail] = useState("");
  const { run, failure: refused } = useAsking();
  const go = () => run(() => model.ask("meeting leave"));
  const leave = useRef<HTMLButtonElement>(null);
  // Nobody leaves by one wrong key: it leads to the button.
  useShortcut("leave", () => {
    leave.current!.focus();
    say(text("bar.leave.sure"));
  });
  useEffect(() => {
    if (refused) fail(refused);
  }, [refused]);
  const reasons = reasonsOf(state.sources, state.peers);
  const { offer } = state;
  const record = () => {
    model.decline();
    voice.begin("message");
  };
  return (
    <footer class="bar" aria-label={text("bar.label")}>
      {failure && <p class="failure" role="alert">{failure}</p>}
      {reasons.length > 0 && <p class="reason">{reasons.join(" · ")}</p>}
      <div role="status">
        {offer && <Offer accept={record} decline={() => model.decline()}
          said={offer.reasons[language] ?? offer.reason} />}
      </div>
      <Speaking voice={voice} />
      <div class="buttons">
        <TalkButton voice={voice}
          blocked={voice.kind === "" && isMicrophoneOn(state)} />
        {CONTROLS.map(({ kind, name }) => (
          <Control key={kind} kind={kind} name={name} sources={state.sources} fail={fail} />
        ))}
        <HandButton hands={state.hands} fail={fail} />
        <button ref={leave} type="button" class="leave" onClick={go} title={text("bar.leave.hint")}
          aria-keyshortcuts={`Alt+Shift+${letterOf("leave")}`}>
          <Icon name="leave" /><span class="label">{text("bar.leave")}</span>
        </button>
      </div>
    </footer>
  );
}

export function Room({ state, meeting, invites, back, setLanguage }: {
  state: State; meeting: Meeting; invites: boolean; back(): void; setLanguage(code: string): void;
}) {
  const { text } = useAround();
  const [part, setPart] = useState<typeof PARTS[number]>("chat");
  const [dialog, setDialog] = useState<"" | "created" | "invite" | "settings" | "link" | "help">("");
  const [shown, setShown] = useState<Doc | null>(null);
  const title = useRef<HTMLHeadingElement>(null);
  const voice = useVoice(state.link === "live");
  const closed = () => setDialog("");
  useHelpKey(() => setDialog("help"));
  useLayoutEffect(() => { // before anything can be typed, as at home
    offerFocus(title.current); // there it is too when the dialog is closed
    if (invites) setDialog("created");
  }, []);
  const here = state.members.filter((member) => !member.expelled).length;
  const open = state.motions.filter((motion) => motion.state === "open").length;
  return (
    <div class={`room ${state.link === "live" ? "" : "past"}`} data-part={part}>
      <header class="masthead">
        <button type="button" class="quiet back" onClick={back}>
          <span aria-hidden="true">‹ </span>{text("back")}</button>
        <h1 ref={title} tabIndex={-1}><Said>{meeting.title}</Said></h1>
        <span class="muted">{text("members", { n: here })}</span>
        <LinkButton state={state} open={() => setDialog("link")} />
        <button type="button" class="quiet help" onClick={() => setDialog("help")}
          aria-label={text("help.open")} aria-keyshortcuts="?">?</button>
        <button type="button" class="quiet settings" onClick={() => setDialog("settings")}>
          <Icon name="settings" /> <span class="words">{text("bar.settings")}</span></button>
      </header>
      <nav aria-label={text("nav.label")}>
        {PARTS.map((name) => (
          <button key={name} type="button" aria-current={part === name ? "true" : undefined}
            onClick={() => setPart(name)}>
            {text(`nav.${name}`)}{name === "motions" && open > 0 && <span class="count">{open}</span>}
          </button>
        ))}
      </nav>
      <main>
        <People state={state} meeting={meeting} invite={() => setDialog("invite")} />
        <Stage state={state} />
        <Chat state={state} meeting={meeting} voice={voice} />
        <div class="side">
          <Motions state={state} meeting={meeting} />
          <Documents state={state} show={setShown} />
        </div>
      </main>
      <Bar state={state} voice={voice} />
      {/* Not inside a part: a narrower window may hide that, and all behind a dialog is dead. */}
      {shown && <Preview document={shown} close={() => setShown(null)} />}
      {(dialog === "invite" || dialog === "created") &&
        <Invite meeting={meeting} close={closed} atOnce={dialog === "created"} />}
      {dialog === "settings" &&
        <Settings name={state.name} close={closed} setLanguage={setLanguage}
          help={() => setDialog("help")} />}
      {dialog === "link" && <LinkScreen state={state} close={closed} />}
      {dialog === "help" && <Help close={closed} />}
    </div>
  );
}
