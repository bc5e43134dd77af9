// SPDX-License-Identifier: MPL-2.0
// How fast things have come of late, and when the rest of them will be here. It guesses nothing: of
// what does not move it knows no end.
const WINDOW_MS = 20_000; // what came before it tells nothing of now
const LEAST_MS = 1500; // what is measured over less is no rate

interface Sample { at_ms: number; have: number }

export class Progress {
  private samples = new Map<string, Sample[]>();

  note(id: string, have: number, at_ms: number): void {
    const kept = (this.samples.get(id) ?? [])
      .filter((one) => one.at_ms > at_ms - WINDOW_MS && one.have <= have);
    this.samples.set(id, [...kept, { at_ms, have }]);
  }

  // Bits a second, 0 when nothing has come of late.
  rateOf(id: string, now_ms: number): number {
    const kept = (this.samples.get(id) ?? []).filter((one) => one.at_ms > now_ms - WINDOW_MS);
    if (kept.length < 2) return 0;
    const [first, last] = [kept[0], kept[kept.length - 1]];
    // Since the last of it time has gone by too: what has stopped becomes slow, then nothing.
    const took_ms = now_ms - first.at_ms;
    return took_ms < LEAST_MS ? 0 : Math.round((last.have - first.have) * 8000 / took_ms);
  }
}
