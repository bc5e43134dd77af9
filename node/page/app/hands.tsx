// SPDX-License-Identifier: MPL-2.0
// Who asks to speak: the queue, the same on every node, and one's own hand.
import { useEffect, useRef } from "preact/hooks";
import { useAnnounce } from "./announce";
import { letterOf, useShortcut } from "./keys";
import type { Hand, Meeting, State } from "./state";
import { Failure, Icon, Said, useAround, useAsking } from "./ui";

export function HandButton({ hands, fail }: { hands: Hand[]; fail(sentence: string): void }) {
  const { model, text, say } = useAround();
  const { busy, failure, run } = useAsking();
  const own = hands.find((hand) => hand.self);
  const toggle = () => run(async () => {
    fail("");
    const queue: Hand[] = await model.ask(own ? "hand down" : "hand up");
    const now = queue.find((hand) => hand.self);
    say(now ? text("hands.raised", { n: now.number }) : text("hands.lowered"));
  });
  useShortcut("hand", toggle);
  useEffect(() => {
    if (failure) fail(failure);
  }, [failure]);
  return (
    <button type="button" aria-pressed={own !== undefined} onClick={toggle} class={own ? "on" : ""}
      aria-keyshortcuts={`Alt+Shift+${letterOf("hand")}`}>
      <Icon name="hand" />
      <span class="label">{text("bar.hand")}</span>
      <span class="state">{busy ? text("bar.wait") : own ? text("bar.hand.on", { n: own.number })
        : text("bar.hand.off")}</span>
    </button>
  );
}

function Row({ hand, lowers }: { hand: Hand; lowers: boolean }) {
  const { model, text } = useAround();
  const { busy, failure, run } = useAsking();
  const lower = () => run(async () => {
    await model.ask("hand down", { member: hand.id });
  });
  return (
    <li>
      <span class="turn">{hand.number}.</span>
      <span class="grow"><Said>{hand.name}</Said>
        {hand.self && <span class="muted"> ({text("people.you")})</span>}</span>
      {lowers && !hand.self && <button type="button" class="quiet" aria-disabled={busy} onClick={lower}
        aria-label={text("hands.lower", { name: hand.name })}>{text("hands.lower.short")}</button>}
      {failure && <Failure>{failure}</Failure>}
    </li>
  );
}

export function Queue({ state, meeting }: { state: State; meeting: Meeting }) {
  const { text } = useAround();
  const announce = useAnnounce();
  const known = useRef(new Set(state.hands.map((hand) => hand.id)));
  useEffect(() => {
    for (const hand of state.hands) {
      if (!known.current.has(hand.id) && !hand.self) {
        announce(text("hands.asks", { name: hand.name, n: hand.number }));
      }
    }
    known.current = new Set(state.hands.map((hand) => hand.id));
  }, [state.hands]);
  if (state.hands.length === 0) return null;
  return (
    <div class="queue">
      <h3 id="queue-title">{text("hands.title")}</h3>
      <ol aria-labelledby="queue-title">
        {state.hands.map((hand) =>
          <Row key={hand.id} hand={hand} lowers={meeting.role === "founder"} />)}
      </ol>
    </div>
  );
}
