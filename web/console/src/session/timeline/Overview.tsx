import { useComputedColorScheme } from '@mantine/core';
import { useElementSize } from '@mantine/hooks';
import { useEffect, useLayoutEffect, useRef } from 'react';
import { SEVERITIES, weight } from '../../severity/severity';
import { useDesk } from '../desk';
import { readPalette } from './palette';
import classes from './Timeline.module.css';
import { lengthOf, padded, timeOf, xOf } from './viewport';

const HEIGHT = 36;
const EDGE_PX = 10;
const SHORTEST_WINDOW_PX = 10;

/** The whole session in one strip with the visible window, to be dragged and stretched. */
export function Overview() {
  const { model, window: view, playback } = useDesk();
  const scheme = useComputedColorScheme('light');
  const { ref, width } = useElementSize<HTMLDivElement>();
  const canvas = useRef<HTMLCanvasElement>(null);
  const frame = useRef<HTMLDivElement>(null);
  const head = useRef<HTMLDivElement>(null);
  const strip = useRef<HTMLDivElement>(null);

  // biome-ignore lint/correctness/useExhaustiveDependencies: the palette changes with the colour scheme
  useLayoutEffect(() => {
    const element = canvas.current;
    const ctx = element?.getContext('2d');
    if (!element || !ctx || width === 0) return;
    const ratio = Math.min(globalThis.devicePixelRatio || 1, 2);
    element.width = Math.round(width * ratio);
    element.height = Math.round(HEIGHT * ratio);
    ctx.setTransform(ratio, 0, 0, ratio, 0, 0);
    ctx.clearRect(0, 0, width, HEIGHT);
    const palette = readPalette();
    const whole = padded(model.bounds);
    ctx.fillStyle = palette.recorded;
    for (const [i, track] of model.tracks.entries()) {
      for (const span of track.recorded) {
        const x = xOf(span.from, whole, width);
        ctx.fillRect(x, HEIGHT - 4 - i * 4, Math.max(1, xOf(span.until, whole, width) - x), 3);
      }
    }
    // Lightest first, so that the heaviest end up on top; higher where it is heavier.
    for (const severity of [...SEVERITIES].reverse()) {
      ctx.fillStyle = palette[severity];
      const height = 6 + weight(severity) * 5;
      const taken = new Set<number>();
      for (const event of model.events) {
        if (event.severity !== severity) continue;
        const x = Math.round(xOf(event.occurred_at, whole, width));
        if (taken.has(x)) continue;
        taken.add(x);
        ctx.fillRect(x, 24 - height, severity === 'info' ? 1 : 2, height);
      }
    }
  }, [model, width, scheme]);

  useEffect(() => {
    if (width === 0) return;
    const place = () => {
      const left = xOf(view.range.from, view.bounds, width);
      const right = xOf(view.range.until, view.bounds, width);
      const size = Math.max(right - left, SHORTEST_WINDOW_PX);
      if (frame.current) {
        frame.current.style.transform = `translateX(${Math.min(left, width - size)}px)`;
        frame.current.style.width = `${size}px`;
      }
      if (head.current)
        head.current.style.transform = `translateX(${xOf(playback.at, view.bounds, width)}px)`;
    };
    place();
    const stops = [view.watch(place), playback.onTick(place)];
    return () => {
      for (const stop of stops) stop();
    };
  }, [view, playback, width]);

  useEffect(() => {
    const element = strip.current;
    if (!element) return;
    const abort = new AbortController();
    const options = { signal: abort.signal };
    let drag: { mode: 'move' | 'left' | 'right'; x: number } | null = null;
    const xIn = (event: PointerEvent) => event.clientX - element.getBoundingClientRect().left;
    element.addEventListener(
      'pointerdown',
      (event) => {
        if (event.button !== 0) return;
        element.setPointerCapture(event.pointerId);
        const x = xIn(event);
        const left = xOf(view.range.from, view.bounds, element.clientWidth);
        const right = xOf(view.range.until, view.bounds, element.clientWidth);
        const wide = right - left > EDGE_PX * 3;
        if (wide && Math.abs(x - left) < EDGE_PX) drag = { mode: 'left', x };
        else if (wide && Math.abs(x - right) < EDGE_PX) drag = { mode: 'right', x };
        else {
          if (x < left || x > right) {
            const half = lengthOf(view.range) / 2;
            const at = timeOf(x, view.bounds, element.clientWidth);
            view.show({ from: at - half, until: at + half });
          }
          drag = { mode: 'move', x };
        }
      },
      options,
    );
    element.addEventListener(
      'pointermove',
      (event) => {
        if (!drag) return;
        const x = xIn(event);
        const at = timeOf(x, view.bounds, element.clientWidth);
        if (drag.mode === 'left')
          view.show({ from: Math.min(at, view.range.until - 2_000), until: view.range.until });
        else if (drag.mode === 'right')
          view.show({ from: view.range.from, until: Math.max(at, view.range.from + 2_000) });
        else view.pan(((x - drag.x) / element.clientWidth) * lengthOf(view.bounds));
        drag.x = x;
      },
      options,
    );
    const end = () => {
      drag = null;
    };
    element.addEventListener('pointerup', end, options);
    element.addEventListener('pointercancel', end, options);
    element.addEventListener(
      'wheel',
      (event) => {
        event.preventDefault();
        const at = timeOf(
          event.clientX - element.getBoundingClientRect().left,
          view.bounds,
          element.clientWidth,
        );
        view.zoom(Math.exp(-event.deltaY * 0.0016), at);
      },
      { ...options, passive: false },
    );
    return () => abort.abort();
  }, [view]);

  return (
    <div className={classes.overviewRow}>
      <div className={classes.overviewLabel} aria-hidden="true">
        All
      </div>
      <div
        ref={(element) => {
          strip.current = element;
          ref(element);
        }}
        className={classes.overview}
        aria-hidden="true"
      >
        <canvas ref={canvas} className={classes.overviewCanvas} />
        <div ref={head} className={classes.overviewHead} />
        <div ref={frame} className={classes.overviewWindow} />
      </div>
    </div>
  );
}
