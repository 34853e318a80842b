import { useComputedColorScheme } from '@mantine/core';
import { useElementSize } from '@mantine/hooks';
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from 'react';
import { useDesk } from '../desk';
import { leadOf } from './clusters';
import { drawScene } from './draw';
import { bindGestures } from './gestures';
import { HoverCard, type Hovered } from './HoverCard';
import type { Lane } from './lanes';
import { Playhead } from './Playhead';
import { type Palette, readPalette } from './palette';
import { Pictures } from './pictures';
import type { TrackLane } from './scene';
import { hitTest, layOut, type Strip } from './scene';
import classes from './Timeline.module.css';
import { lengthOf, timeOf } from './viewport';

/** The lanes: a canvas with the playhead and the hover preview above it. */
export function LanesCanvas({ tracks, lanes }: { tracks: readonly TrackLane[]; lanes: readonly Lane[] }) {
  const { model, playback, window: view, selected, choose, goTo, openStill } = useDesk();
  const scheme = useComputedColorScheme('light');
  const canvas = useRef<HTMLCanvasElement>(null);
  const { ref: sizeRef, width } = useElementSize<HTMLDivElement>();
  const area = useRef<HTMLDivElement>(null);
  const [hovered, setHovered] = useState<Hovered | null>(null);
  const [dragging, setDragging] = useState<'pan' | 'scrub' | null>(null);
  const { strips, height } = useMemo(
    () => layOut(tracks, lanes, model.stills.length > 0),
    [tracks, lanes, model.stills.length],
  );

  // The palette is read after the colour scheme was written to the page.
  const palette = useRef<Palette | null>(null);
  const draw = useRef<() => void>(() => {});
  const pictures = useMemo(() => new Pictures(() => draw.current()), []);
  useEffect(() => () => pictures.destroy(), [pictures]);
  useEffect(() => pictures.setCaptures(model.captures), [pictures, model.captures]);

  // biome-ignore lint/correctness/useExhaustiveDependencies: the palette changes with the colour scheme
  useLayoutEffect(() => {
    const element = canvas.current;
    const ctx = element?.getContext('2d');
    if (!element || !ctx || width === 0) return;
    palette.current = readPalette();
    const ratio = Math.min(globalThis.devicePixelRatio || 1, 2);
    element.width = Math.round(width * ratio);
    element.height = Math.round(height * ratio);
    let frame = 0;
    const paint = () => {
      frame = 0;
      ctx.setTransform(ratio, 0, 0, ratio, 0, 0);
      drawScene(ctx, {
        strips,
        stills: model.stills,
        view: view.range,
        width,
        height,
        zero: model.zero,
        landmarks: model.landmarks,
        selected: selected?.sequence ?? null,
        palette: palette.current as Palette,
        pictures: pictures.loaded,
        wanted: pictures.want,
      });
    };
    draw.current = () => {
      frame ||= requestAnimationFrame(paint);
    };
    paint();
    const stop = view.watch(draw.current);
    return () => {
      stop();
      cancelAnimationFrame(frame);
    };
  }, [strips, width, height, model, view, selected, pictures, scheme]);

  useEffect(() => {
    const element = area.current;
    if (!element || width === 0) return;
    const hit = (x: number, y: number) =>
      hitTest({ strips, stills: model.stills, view: view.range, width: element.clientWidth }, x, y);
    return bindGestures(element, {
      window: view,
      onDragging: setDragging,
      onScrub: (at, done) => playback.seek(at, { scrubbing: !done }),
      onHover: (point) => {
        if (!point) return setHovered(null);
        const at = timeOf(point.x, view.range, element.clientWidth);
        setHovered({ hit: hit(point.x, point.y), at, x: point.x, y: point.y });
      },
      onClick: (x, y) => {
        const found = hit(x, y);
        const at = timeOf(x, view.range, element.clientWidth);
        if (found?.kind === 'group') {
          choose(leadOf(found.group));
          const { from, until, marks } = found.group;
          // A cluster comes apart under the pointer, unless its events share one moment.
          if (marks.length > 1 && until - from > 50) {
            const length = Math.max((until - from) * 3, lengthOf(view.range) / 24);
            const middle = (from + until) / 2;
            view.show({ from: middle - length / 2, until: middle + length / 2 });
          }
        } else if (found?.kind === 'state') choose(found.state.event);
        else if (found?.kind === 'still') {
          goTo(found.still.at);
          openStill(found.still.capture.id);
        } else goTo(at);
      },
    });
  }, [strips, width, model, view, playback, choose, goTo, openStill]);

  const pointing = hovered?.hit && (hovered.hit.kind !== 'track' || hovered.hit.gap) ? true : undefined;
  return (
    <div className={classes.lanes}>
      <Labels strips={strips} height={height} />
      <div
        ref={(element) => {
          area.current = element;
          sizeRef(element);
        }}
        className={classes.area}
        data-dragging={dragging ?? undefined}
        data-pointing={pointing}
        style={{ height }}
      >
        {/* biome-ignore lint/a11y/noAriaHiddenOnFocusable: a canvas takes no focus; the event list says the same */}
        <canvas ref={canvas} className={classes.canvas} style={{ height }} aria-hidden="true" />
        <Playhead width={width} />
        {hovered && !dragging && <HoverCard hovered={hovered} width={width} hide={() => setHovered(null)} />}
      </div>
    </div>
  );
}

function Labels({ strips, height }: { strips: readonly Strip[]; height: number }) {
  return (
    <div className={classes.labels} style={{ height }} aria-hidden="true">
      {strips.map((strip) => (
        <div key={strip.id} className={classes.label} style={{ top: strip.top, height: strip.height }}>
          {strip.name}
        </div>
      ))}
    </div>
  );
}
