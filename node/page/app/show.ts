// SPDX-License-Identifier: MPL-2.0
// One camera or screen on this page: its pictures decoded by the browser and drawn wherever it is
// shown. What cannot be decoded is counted and shown as nothing; the last good picture stays.
import { Order, type Picture } from "./frame";

const WISH_MS = 1000; // between two wishes for a keyframe
const QUEUE_MAX = 30; // a decoder that is behind by so many is too slow: it begins anew
const STALE_MS = 5000; // a video without a new picture for so long stands still

export const canDecode = () => typeof VideoDecoder !== "undefined";

export type Shown = "nothing" | "video" | "still" | "stale";

export class Show {
  shown = 0; // pictures drawn
  bad = 0; // that could not be
  wide = 16 / 9; // width over height
  at = 0; // when the newest picture came, by the clock of this machine
  private still = false;
  private order = new Order();
  private decoder: VideoDecoder | null = null;
  private canvases = new Set<HTMLCanvasElement>();
  private wished_ms = 0;
  private looking = 0;
  private told: Shown = "nothing";

  // `wish`: a keyframe is needed; `changed`: what it shows is of another sort than before.
  constructor(private wish: () => void, private changed: () => void) {}

  state(): Shown {
    if (this.shown === 0) return "nothing";
    if (this.still) return "still";
    return Date.now() - this.at > STALE_MS ? "stale" : "video";
  }

  attach(canvas: HTMLCanvasElement): void {
    const [other] = this.canvases;
    this.canvases.add(canvas);
    if (other) this.paint(canvas, other, other.width, other.height);
  }

  detach(canvas: HTMLCanvasElement): void {
    this.canvases.delete(canvas);
  }

  take(picture: Picture): void {
    const now_ms = performance.now();
    for (const next of this.order.put(picture, now_ms)) this.decode(next);
    if (this.order.blind && !picture.keyframe) this.ask(now_ms);
    clearTimeout(this.looking);
    this.looking = window.setTimeout(() => {
      if (this.order.late(performance.now())) this.ask(performance.now());
    }, WISH_MS);
  }

  // Something came for it that made no sense.
  malformed(): void {
    this.bad++;
    this.lose();
    this.changed();
  }

  // What was left out is not waited for: it is not shown, or the line to the node broke.
  lose(): void {
    this.order.lose();
  }

  close(): void {
    clearTimeout(this.looking);
    if (this.decoder && this.decoder.state !== "closed") this.decoder.close();
    this.decoder = null;
    this.canvases.clear();
  }

  private ask(now_ms: number): void {
    if (this.wished_ms && now_ms - this.wished_ms < WISH_MS) return;
    this.wished_ms = now_ms;
    this.wish();
  }

  private broken(): void {
    this.decoder = null;
    this.malformed();
    this.ask(performance.now());
  }

  private open(): VideoDecoder {
    const decoder = new VideoDecoder({
      output: (frame) => this.draw(frame),
      error: () => this.decoder === decoder && this.broken(),
    });
    decoder.configure({ codec: "vp8", optimizeForLatency: true });
    return decoder;
  }

  private decode(picture: Picture): void {
    if (this.decoder && this.decoder.decodeQueueSize > QUEUE_MAX && !picture.keyframe) {
      return this.lose();
    }
    this.still = picture.still;
    this.at = Date.now() - picture.age_ms;
    try {
      if (!this.decoder || this.decoder.state === "closed") this.decoder = this.open();
      this.decoder.decode(new EncodedVideoChunk({ type: picture.keyframe ? "key" : "delta",
        timestamp: picture.time_ms * 1000, data: picture.data }));
    } catch {
      this.broken(); // a decoder that is there takes it, or says so
    }
  }

  private paint(canvas: HTMLCanvasElement, image: CanvasImageSource, width: number,
    height: number): void {
    if (canvas.width !== width || canvas.height !== height) {
      canvas.width = width;
      canvas.height = height;
    }
    canvas.getContext("2d")!.drawImage(image, 0, 0, width, height);
  }

  private draw(frame: VideoFrame): void {
    const [width, height] = [frame.displayWidth, frame.displayHeight];
    for (const canvas of this.canvases) {
      this.paint(canvas, frame, width, height);
      canvas.dataset.shown = String(this.shown + 1);
    }
    frame.close();
    this.shown++;
    this.wide = width / height;
    const state = this.state();
    if (state !== this.told) {
      this.told = state;
      this.changed();
    }
  }
}
