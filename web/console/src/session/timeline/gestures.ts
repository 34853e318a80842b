/** Mouse, touch and wheel on the lanes: drag pans, wheel and pinch zoom, the ruler scrubs, a short press is a click. */

import { RULER_HEIGHT } from './scene';
import type { TimelineWindow } from './timelineWindow';
import { lengthOf, timeOf } from './viewport';

export interface GestureTarget {
  window: TimelineWindow;
  onClick: (x: number, y: number) => void;
  onScrub: (at: number, done: boolean) => void;
  /** Null when the pointer has left or something is being dragged. */
  onHover: (point: { x: number; y: number } | null) => void;
  onDragging: (dragging: 'pan' | 'scrub' | null) => void;
}

const CLICK_PX = 4;
const WHEEL_ZOOM = 0.0016;

export function bindGestures(element: HTMLElement, target: GestureTarget): () => void {
  const abort = new AbortController();
  const options = { signal: abort.signal };
  const pointers = new Map<number, { x: number; y: number }>();
  let mode: 'press' | 'pan' | 'scrub' | 'pinch' | null = null;
  let origin = { x: 0, y: 0 };

  const place = (event: PointerEvent | WheelEvent) => {
    const box = element.getBoundingClientRect();
    return { x: event.clientX - box.left, y: event.clientY - box.top };
  };
  const width = () => element.clientWidth;
  const timeAt = (x: number) => timeOf(x, target.window.range, width());
  const spread = () => {
    const [a, b] = [...pointers.values()];
    return a && b ? { distance: Math.max(20, Math.abs(a.x - b.x)), middle: (a.x + b.x) / 2 } : null;
  };
  let pinch = { distance: 1, middle: 0 };

  element.addEventListener(
    'pointerdown',
    (event) => {
      if (event.button !== 0) return;
      const point = place(event);
      pointers.set(event.pointerId, point);
      element.setPointerCapture(event.pointerId);
      target.onHover(null);
      const two = spread();
      if (two) {
        mode = 'pinch';
        pinch = two;
        return;
      }
      origin = point;
      const onHead = (event.target as Element).closest('[data-playhead]') !== null;
      if (onHead || point.y < RULER_HEIGHT) {
        mode = 'scrub';
        target.onDragging('scrub');
        if (!onHead) target.onScrub(timeAt(point.x), false);
      } else mode = 'press';
    },
    options,
  );

  element.addEventListener(
    'pointermove',
    (event) => {
      const point = place(event);
      const last = pointers.get(event.pointerId);
      if (!last) {
        if (pointers.size === 0) target.onHover(point);
        return;
      }
      pointers.set(event.pointerId, point);
      if (mode === 'pinch') {
        const two = spread();
        if (!two) return;
        target.window.zoom(two.distance / pinch.distance, timeAt(two.middle));
        target.window.pan(((pinch.middle - two.middle) / width()) * lengthOf(target.window.range));
        pinch = two;
        return;
      }
      if (mode === 'press' && Math.hypot(point.x - origin.x, point.y - origin.y) > CLICK_PX) {
        mode = 'pan';
        target.onDragging('pan');
      }
      if (mode === 'pan') target.window.pan(((last.x - point.x) / width()) * lengthOf(target.window.range));
      else if (mode === 'scrub') target.onScrub(timeAt(point.x), false);
    },
    options,
  );

  const release = (event: PointerEvent, cancelled: boolean) => {
    if (!pointers.delete(event.pointerId)) return;
    const point = place(event);
    if (!cancelled && mode === 'press') target.onClick(point.x, point.y);
    if (!cancelled && mode === 'scrub' && point.x !== origin.x) target.onScrub(timeAt(point.x), true);
    if (mode === 'pan' || mode === 'scrub') target.onDragging(null);
    // One finger left of two goes on as nothing: it would jump.
    if (pointers.size === 0 || mode !== 'pinch') mode = null;
  };
  element.addEventListener('pointerup', (event) => release(event, false), options);
  element.addEventListener('pointercancel', (event) => release(event, true), options);
  element.addEventListener('pointerleave', () => pointers.size === 0 && target.onHover(null), options);

  element.addEventListener(
    'wheel',
    (event) => {
      event.preventDefault();
      const unit = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? 16 : 1;
      const sideways = event.shiftKey && event.deltaX === 0 ? event.deltaY : event.deltaX;
      if (!event.ctrlKey && Math.abs(sideways) > (event.shiftKey ? 0 : Math.abs(event.deltaY))) {
        target.window.pan(((sideways * unit) / width()) * lengthOf(target.window.range));
        return;
      }
      // A pinch on a touch pad arrives as a wheel with ctrl and small steps.
      const strength = event.ctrlKey ? WHEEL_ZOOM * 6 : WHEEL_ZOOM;
      target.window.zoom(Math.exp(-event.deltaY * unit * strength), timeAt(place(event).x));
    },
    { ...options, passive: false },
  );
  return () => abort.abort();
}
