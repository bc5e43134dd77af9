// SPDX-License-Identifier: MPL-2.0
// Microphone, camera and loudspeaker: which ones, and whether they work, before anybody hears.
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import "./devices.css";
import { Canvas, useLooks } from "./tiles";
import { errorText, Failure, number, useAround, useAsking } from "./ui";

interface Device { source: string; name: string }
interface Devices {
  microphones: Device[]; cameras: Device[]; speakers: Device[];
  mic: string; cam: string; speaker: string;
  echo_cancelled: boolean; // what the loudspeaker plays is taken out of a microphone
}
interface Level { rms_db: number; peak_db: number }

type What = "mic" | "cam" | "speaker";
const LISTS = { mic: "microphones", cam: "cameras", speaker: "speakers" } as const;

const TEST = "test"; // the node's own beeps and pattern: works on any machine

// dB of full scale: nothing below, and what is good to hear.
const SILENT = -70;
const FAINT = -50;
const HARSH = -2;
const FLOOR = -80;
const RECENT = 16; // levels, eight a second

const levelWords = ({ rms_db, peak_db }: Level) => peak_db <= SILENT ? "silent"
  : peak_db >= HARSH ? "loud" : rms_db < FAINT ? "faint" : "good";

// ---- one trial ----

interface Trial { on: boolean; failure: string; level: Level | null; toggle(hear?: boolean): void }

function useTrial(what: What): Trial {
  const { model } = useAround();
  const { busy: on, failure, run } = useAsking();
  const [level, setLevel] = useState<Level | null>(null);
  const now = useRef(false);
  now.current = on;
  const stop = () => void model.ask("devices stop", { what }).catch(() => undefined);
  const toggle = (hear = false) => {
    if (on) return stop();
    setLevel(null);
    void run(async () => {
      await model.try(what, hear, setLevel);
    });
  };
  useEffect(() => () => {
    if (now.current) stop();
  }, []);
  return { on, failure, level: on ? level : null, toggle };
}

type Changed = (what: What, source: string) => void;

// Each choice is told, however fast they come: the node takes them in their order.
function Choice({ what, devices, changed }: { what: What; devices: Devices; changed: Changed }) {
  const all = useAround();
  const { model, text } = all;
  const [failure, setFailure] = useState("");
  const list = devices[LISTS[what]];
  const chosen = devices[what];
  const known = chosen === "auto" || chosen === TEST || list.some((one) => one.source === chosen);
  const choose = async (source: string) => {
    setFailure("");
    try {
      await model.ask("devices use", { [what]: source });
      changed(what, source);
    } catch (error) {
      setFailure(errorText(all, error));
    }
  };
  return (
    <>
      <label class="field"><span>{text(`devices.${what}`)}</span>
        <select value={chosen} onChange={({ currentTarget: at }) => void choose(at.value)}>
          <option value="auto">{text("devices.auto")}</option>
          {list.map(({ source, name }) => (
            <option key={source} value={source}>{name || source}</option>
          ))}
          {!known && <option value={chosen}>{text("devices.gone")}</option>}
          {what !== "speaker" && <option value={TEST}>{text("devices.pattern")}</option>}
        </select></label>
      {list.length === 0 && <p class="hint">{text(`devices.${what}.none`)}</p>}
      {failure && <Failure>{failure}</Failure>}
    </>
  );
}

// ---- each of the three ----

// What is said of it is of the last two seconds: words that follow each syllable cannot be read.
function loudest(levels: Level[]): Level {
  return levels.reduce((one, other) => other.peak_db > one.peak_db ? other : one);
}

function Meter({ level }: { level: Level | null }) {
  const { text, language } = useAround();
  const recent = useRef<Level[]>([]);
  useMemo(() => {
    if (level) recent.current = [...recent.current, level].slice(-RECENT);
  }, [level]);
  const most = recent.current.length > 0 ? loudest(recent.current) : null;
  const words = most ? levelWords(most) : "waiting";
  return (
    <div class="level">
      <meter aria-label={text("devices.level")} min={FLOOR} max={0} low={FAINT} high={HARSH}
        optimum={(FAINT + HARSH) / 2} value={level?.peak_db ?? FLOOR} />
      <span class="figures">{text(`devices.level.${words}`, {
        db: number(language, Math.max(most?.peak_db ?? FLOOR, FLOOR), 0) })}</span>
    </div>
  );
}

function Microphone({ devices, changed }: { devices: Devices; changed: Changed }) {
  const { text } = useAround();
  const trial = useTrial("mic");
  const [hear, setHear] = useState(false);
  return (
    <fieldset class="device mic">
      <legend>{text("devices.mic.title")}</legend>
      <Choice what="mic" devices={devices} changed={changed} />
      {devices.mic !== TEST && <p class="hint">
        {text(devices.echo_cancelled ? "devices.echo.none" : "devices.echo.kept")}</p>}
      <label class="choice">
        <input type="checkbox" checked={hear} disabled={trial.on}
          onChange={({ currentTarget: at }) => setHear(at.checked)} /> {text("devices.hear")}
      </label>
      <div class="row">
        <button type="button" aria-pressed={trial.on} class={trial.on ? "on" : ""}
          onClick={() => trial.toggle(hear)}>
          {text(trial.on ? "devices.stop" : "devices.mic.try")}</button>
      </div>
      {trial.on && <Meter level={trial.level} />}
      {trial.failure && <Failure>{trial.failure}</Failure>}
    </fieldset>
  );
}

function Preview() {
  const { model, text } = useAround();
  useEffect(() => model.watch.claim(), []);
  useLooks();
  const source = { member: model.state.id, kind: "video" } as const;
  const seen = model.watch.find(source)?.shown ?? 0;
  return (
    <div class="preview-own">
      <Canvas source={source} label={text("devices.preview")} />
      {seen === 0 && <p class="hint">{text("devices.cam.waiting")}</p>}
    </div>
  );
}

function Camera({ devices, changed }: { devices: Devices; changed: Changed }) {
  const { text } = useAround();
  const trial = useTrial("cam");
  return (
    <fieldset class="device cam">
      <legend>{text("devices.cam.title")}</legend>
      <Choice what="cam" devices={devices} changed={changed} />
      <div class="row">
        <button type="button" aria-pressed={trial.on} class={trial.on ? "on" : ""}
          onClick={() => trial.toggle()}>
          {text(trial.on ? "devices.stop" : "devices.cam.try")}</button>
      </div>
      {trial.on && <Preview />}
      {trial.failure && <Failure>{trial.failure}</Failure>}
    </fieldset>
  );
}

function Speaker({ devices, changed }: { devices: Devices; changed: Changed }) {
  const { text } = useAround();
  const trial = useTrial("speaker");
  return (
    <fieldset class="device speaker">
      <legend>{text("devices.speaker.title")}</legend>
      <Choice what="speaker" devices={devices} changed={changed} />
      <div class="row">
        <button type="button" aria-pressed={trial.on} class={trial.on ? "on" : ""}
          onClick={() => trial.toggle()}>
          {text(trial.on ? "devices.stop" : "devices.speaker.try")}</button>
        <span role="status">{trial.on && text("devices.speaker.playing")}</span>
      </div>
      {trial.failure && <Failure>{trial.failure}</Failure>}
    </fieldset>
  );
}

function Panel() {
  const { model, text } = useAround();
  const { busy, failure, run } = useAsking();
  const [devices, setDevices] = useState<Devices | null>(null);
  const look = () => void run(async () => setDevices(await model.ask("devices")));
  useEffect(look, []);
  const changed: Changed = (what, source) => setDevices((now) => now && { ...now, [what]: source });
  return (
    <div class="devices">
      <p class="hint">{text("devices.intro")}</p>
      {devices && <div class="three">
        <Microphone devices={devices} changed={changed} />
        <Camera devices={devices} changed={changed} />
        <Speaker devices={devices} changed={changed} />
      </div>}
      {failure && <Failure>{failure}</Failure>}
      <div class="row">
        <button type="button" aria-disabled={busy} onClick={look}>{text("devices.again")}</button>
        <span role="status">{busy && text("devices.looking")}</span>
      </div>
    </div>
  );
}

// Closed, it asks for nothing; opened, it looks for devices.
export function DeviceTest() {
  const { text } = useAround();
  const [open, setOpen] = useState(false);
  return (
    <details class="device-test" onToggle={({ currentTarget: at }) => setOpen(at.open)}>
      <summary>{text("devices.title")}</summary>
      {open && <Panel />}
    </details>
  );
}
