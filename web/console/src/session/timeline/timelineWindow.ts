/** The visible window of the timeline as a small store, so that panning and zooming draw without rendering React. */

import { lengthOf, panned, type Range, showing, within, zoomed } from './viewport';

export class TimelineWindow {
  bounds: Range;
  range: Range;
  private readonly watchers = new Set<() => void>();

  constructor(bounds: Range) {
    this.bounds = bounds;
    this.range = bounds;
  }

  readonly watch = (watcher: () => void): (() => void) => {
    this.watchers.add(watcher);
    return () => this.watchers.delete(watcher);
  };
  readonly snapshot = (): Range => this.range;

  private set(range: Range): void {
    if (range.from === this.range.from && range.until === this.range.until) return;
    this.range = range;
    this.tell();
  }

  private tell(): void {
    for (const watcher of this.watchers) watcher();
  }

  /** A session that goes on gets longer; a window that showed all of it still does, one at the end keeps up. */
  setBounds(bounds: Range): void {
    if (bounds.from === this.bounds.from && bounds.until === this.bounds.until) return;
    const whole = this.isWhole();
    const atEnd = this.range.until >= this.bounds.until;
    const grown = bounds.until - this.bounds.until;
    this.bounds = bounds;
    if (whole) this.set(bounds);
    else if (atEnd) this.set(panned(this.range, bounds, grown));
    else this.set(within(this.range, bounds));
    // The overview shows the bounds too, also where the window stays.
    this.tell();
  }

  isWhole(): boolean {
    return lengthOf(this.range) >= lengthOf(this.bounds) - 1;
  }

  zoom(factor: number, anchor: number): void {
    this.set(zoomed(this.range, this.bounds, factor, anchor));
  }

  /** Zooms around the playhead where it is in view, else around the middle. */
  zoomAround(factor: number, at: number): void {
    const { from, until } = this.range;
    this.zoom(factor, at >= from && at <= until ? at : (from + until) / 2);
  }

  pan(by: number): void {
    this.set(panned(this.range, this.bounds, by));
  }

  show(range: Range): void {
    this.set(within(range, this.bounds));
  }

  reveal(at: number): void {
    this.set(showing(this.range, this.bounds, at));
  }

  whole(): void {
    this.set(this.bounds);
  }
}
