// SPDX-License-Identifier: MPL-2.0
// The links, in words and in a picture: how each is, who is gone and since when.
import type { Member, Peer } from "./state";
import { kept, momentText, number, rateText, useAround, type Around } from "./ui";

const BARS = 4;
const RATES_BPS = [16_000, 96_000, 1_000_000]; // from each on one bar more
const LOSS_MUCH = 0.05;
export const HISTORY_MAX = 24; // figures of two minutes

export const isMeasured = (peer: Peer) => peer.line !== "start" && peer.line !== "trial";

// Who is only reached through others has no line of its own.
export const hasLine = (peer: Peer) => peer.line !== "";

// 0: not linked … 4: good.
export function barsOf(peer: Peer): number {
  if (peer.state !== "up" || peer.line === "outage") return 0;
  // Not found out yet, the rate only says what the line carries at least.
  const bars = isMeasured(peer) || peer.reason
    ? 1 + RATES_BPS.filter((least) => peer.rate_bps >= least).length
    : Math.max(BARS - 1, RATES_BPS.filter((least) => peer.rate_bps >= least).length + 1);
  return Math.max(1, peer.loss >= LOSS_MUCH ? bars - 1 : bars);
}

export function Bars({ count }: { count: number }) {
  const { text } = useAround();
  return (
    <svg class="bars" viewBox="0 0 20 14" width="20" height="14" role="img"
      aria-label={text("line.bars", { n: count, of: BARS })}>
      {Array.from({ length: BARS }, (_, at) => (
        <rect key={at} x={at * 5 + 0.5} y={10.5 - at * 3} width="3.5" height={at * 3 + 3}
          class={at < count ? "full" : ""} />
      ))}
    </svg>
  );
}

// What a link was thought to carry, over the last two minutes.
export function Course({ rates }: { rates: number[] }) {
  const all = useAround();
  const known = rates.filter((rate) => rate > 0);
  if (known.length < 2) return null;
  const most = Math.max(...known);
  const points = rates.map((rate, at) =>
    `${(at + HISTORY_MAX - rates.length) * (100 / (HISTORY_MAX - 1))},${19 - (rate / most) * 18}`);
  return (
    <svg class="course" viewBox="0 0 100 20" preserveAspectRatio="none" role="img"
      aria-label={all.text("line.course", { least: rateText(all, Math.min(...known)),
        most: rateText(all, most) })}>
      <polyline points={points.join(" ")} />
    </svg>
  );
}

export const sinceText = (all: Around, since: number) =>
  all.text("line.since", { time: momentText(all, new Date(since)) });

// How a member is reached, in words.
export const LinkWords = kept(({ peer, members }: { peer: Peer; members: Member[] }) => {
  const all = useAround();
  const { text, language } = all;
  const via = members.find((member) => member.id === peer.via)?.name;
  const up = peer.state === "up";
  const state = !up ? `peer.${peer.state}`
    : peer.path !== "relayed" ? "peer.up.direct"
    : !via ? "peer.up.relayed.someone" : peer.hops > 2 ? "peer.up.far" : "peer.up.relayed";
  return (
    <>
      {up && hasLine(peer) ? <Bars count={barsOf(peer)} /> : <span class={`dot ${peer.state}`} aria-hidden="true" />}
      <span>{text(state, { via: via ?? "", links: peer.hops })}</span>
      {!up && peer.since > 0 && <span>{sinceText(all, peer.since)}</span>}
      {up && peer.rate_bps > 0 && <span class="figures">{text("peer.figures", {
        rate: (isMeasured(peer) ? "" : "≥\u00a0") + rateText(all, peer.rate_bps), rtt: number(language, peer.rtt_ms, 0),
        loss: number(language, peer.loss * 100, peer.loss > 0 && peer.loss < 0.01 ? 1 : 0),
      })}</span>}
      {peer.reason && <span class="reason">{peer.reason}</span>}
    </>
  );
});
