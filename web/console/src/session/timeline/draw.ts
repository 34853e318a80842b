/** Draws the lanes onto a canvas. Only what the window shows is touched. */

import type { Severity } from '../../severity/severity';
import { clockLength } from '../../time/format';
import { firstVisible, GROUP_LEAD_PX, type Group, groupLabel, groupWidth } from './clusters';
import type { Bar } from './lanes';
import { type Palette, softOf } from './palette';
import {
  arrangementOf,
  RULER_HEIGHT,
  roomyStills,
  rowCentre,
  STILL_WIDTH,
  type Stage,
  type Strip,
  type TrackLane,
} from './scene';
import { lengthOf, type Range, ruler, xOf } from './viewport';

export interface Scene extends Stage {
  height: number;
  /** The start of the exam, from which the ruler counts. */
  zero: number;
  /** Start and end of the exam. */
  landmarks: readonly number[];
  selected: number | null;
  palette: Palette;
  /** Pictures that are loaded, by capture id. */
  pictures: ReadonlyMap<string, ImageBitmap>;
  /** Told which stills are in view, so that they get loaded. */
  wanted: (captureId: string) => void;
}

const FONT = '11px system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif';
const BOLD = `650 ${FONT}`;

export function mark(
  ctx: CanvasRenderingContext2D,
  severity: Severity,
  x: number,
  y: number,
  r: number,
  colour: string,
): void {
  ctx.beginPath();
  if (severity === 'high') {
    ctx.moveTo(x, y - r);
    ctx.lineTo(x + r, y + r * 0.85);
    ctx.lineTo(x - r, y + r * 0.85);
    ctx.closePath();
  } else if (severity === 'medium') {
    ctx.moveTo(x, y - r);
    ctx.lineTo(x + r, y);
    ctx.lineTo(x, y + r);
    ctx.lineTo(x - r, y);
    ctx.closePath();
  } else {
    ctx.arc(x, y, severity === 'low' ? r * 0.85 : r * 0.7, 0, Math.PI * 2);
  }
  if (severity === 'info') {
    ctx.strokeStyle = colour;
    ctx.lineWidth = 1.6;
    ctx.stroke();
  } else {
    ctx.fillStyle = colour;
    ctx.fill();
  }
}

function halo(
  ctx: CanvasRenderingContext2D,
  palette: Palette,
  x: number,
  y: number,
  width: number,
  height: number,
): void {
  ctx.beginPath();
  ctx.roundRect(x, y, width, height, height / 2);
  ctx.strokeStyle = palette.surface;
  ctx.lineWidth = 5;
  ctx.stroke();
  ctx.strokeStyle = palette.accent;
  ctx.lineWidth = 2.5;
  ctx.stroke();
}

function drawGroup(ctx: CanvasRenderingContext2D, scene: Scene, group: Group, y: number): void {
  const { palette, view, width } = scene;
  const x = xOf(group.from, view, width);
  const holdsSelected =
    scene.selected !== null && group.marks.some((m) => m.event.sequence === scene.selected);
  const colour = palette[group.severity];
  if (group.marks.length === 1) {
    if (group.severity !== 'info') {
      ctx.beginPath();
      ctx.arc(x, y, 8, 0, Math.PI * 2);
      ctx.fillStyle = palette.surface;
      ctx.globalAlpha = 0.75;
      ctx.fill();
      ctx.globalAlpha = 1;
    }
    mark(ctx, group.severity, x, y, 6, colour);
    if (holdsSelected) halo(ctx, palette, x - 9, y - 9, 18, 18);
    return;
  }
  const w = groupWidth(group);
  const left = x - GROUP_LEAD_PX;
  ctx.beginPath();
  ctx.roundRect(left, y - 8, w, 16, 8);
  ctx.fillStyle = palette[softOf(group.severity)];
  ctx.fill();
  ctx.strokeStyle = group.findings > 0 ? colour : palette['line-strong'];
  ctx.lineWidth = 1;
  ctx.stroke();
  mark(ctx, group.severity, x, y, 4.2, colour);
  ctx.fillStyle = group.findings > 0 ? colour : palette['ink-soft'];
  ctx.fillText(groupLabel(group), x + 7, y + 0.5);
  if (holdsSelected) halo(ctx, palette, left - 2, y - 10, w + 4, 20);
}

function drawBar(ctx: CanvasRenderingContext2D, scene: Scene, bar: Bar, y: number): void {
  const { palette, view, width } = scene;
  const left = Math.max(xOf(bar.from, view, width), -20);
  const right = Math.min(xOf(bar.until, view, width), width + 20);
  if (right < 0 || left > width) return;
  const { severity } = bar.state.event;
  const colour = palette[severity];
  ctx.beginPath();
  ctx.roundRect(left, y - 6, Math.max(right - left, 2), 12, bar.state.until === null ? [6, 0, 0, 6] : 6);
  ctx.fillStyle = palette[softOf(severity)];
  ctx.fill();
  ctx.strokeStyle = colour;
  ctx.lineWidth = 1.2;
  // A state that nothing ended has no line at its right end.
  if (bar.state.until === null) {
    ctx.save();
    ctx.setLineDash([4, 3]);
    ctx.stroke();
    ctx.restore();
  } else ctx.stroke();
  if (left > -12) mark(ctx, severity, left + 7, y, 4.4, colour);
  if (bar.state.event.sequence === scene.selected) halo(ctx, palette, left - 2, y - 8, right - left + 4, 16);
}

function drawTrack(ctx: CanvasRenderingContext2D, scene: Scene, strip: Strip, lane: TrackLane): void {
  const { palette, view, width } = scene;
  const y = strip.top + 5;
  const height = strip.height - 10;
  for (const gap of lane.gaps) {
    const left = Math.max(xOf(gap.from, view, width), 0);
    const right = Math.min(xOf(gap.until, view, width), width);
    if (right <= 0 || left >= width) continue;
    ctx.beginPath();
    ctx.moveTo(left, y + height / 2);
    ctx.lineTo(right, y + height / 2);
    ctx.setLineDash([2, 4]);
    ctx.strokeStyle = palette['line-strong'];
    ctx.lineWidth = 1;
    ctx.stroke();
    ctx.setLineDash([]);
    if (right - left > 110) {
      ctx.fillStyle = palette.surface;
      ctx.fillRect((left + right) / 2 - 42, y, 84, height);
      ctx.fillStyle = palette['ink-soft'];
      ctx.textAlign = 'center';
      ctx.fillText('no recording', (left + right) / 2, y + height / 2 + 0.5);
      ctx.textAlign = 'left';
    }
  }
  ctx.fillStyle = palette.recorded;
  for (let i = firstVisible(lane.recorded, view.from); i < lane.recorded.length; i++) {
    const span = lane.recorded[i] as Range;
    if (span.from > view.until) break;
    const left = Math.max(xOf(span.from, view, width), -4);
    const right = Math.min(xOf(span.until, view, width), width + 4);
    ctx.beginPath();
    ctx.roundRect(left, y, Math.max(right - left, 1), height, 3);
    ctx.fill();
  }
}

function drawStills(ctx: CanvasRenderingContext2D, scene: Scene, strip: Strip): void {
  const { palette, view, width, pictures } = scene;
  const msPerPx = lengthOf(view) / width;
  const height = strip.height - 8;
  for (const still of roomyStills(scene.stills, msPerPx)) {
    const x = xOf(still.at, view, width);
    if (x < -STILL_WIDTH || x > width) continue;
    scene.wanted(still.capture.id);
    const picture = pictures.get(still.capture.id);
    ctx.save();
    ctx.beginPath();
    ctx.roundRect(x, strip.top + 4, STILL_WIDTH, height, 4);
    ctx.fillStyle = palette['surface-sunken'];
    ctx.fill();
    if (picture) {
      ctx.clip();
      const scale = Math.max(STILL_WIDTH / picture.width, height / picture.height);
      const w = picture.width * scale;
      const h = picture.height * scale;
      ctx.drawImage(picture, x + (STILL_WIDTH - w) / 2, strip.top + 4 + (height - h) / 2, w, h);
    }
    ctx.restore();
    ctx.fillStyle = palette['line-strong'];
    ctx.fillRect(x, strip.top + 2, 1.5, height + 4);
  }
}

function drawRuler(ctx: CanvasRenderingContext2D, scene: Scene): void {
  const { palette, view, width, height, zero } = scene;
  const { step, marks } = ruler(view, width, zero);
  ctx.fillStyle = palette['ink-soft'];
  ctx.strokeStyle = palette.line;
  ctx.lineWidth = 1;
  ctx.beginPath();
  for (const at of marks) {
    const x = Math.round(xOf(at, view, width)) + 0.5;
    ctx.moveTo(x, RULER_HEIGHT - 5);
    ctx.lineTo(x, height);
    ctx.fillText(clockLength(at - zero, { hours: step >= 60_000 }), x + 4, RULER_HEIGHT / 2);
  }
  ctx.stroke();
}

export function drawScene(ctx: CanvasRenderingContext2D, scene: Scene): void {
  const { palette, view, width, height, strips } = scene;
  ctx.clearRect(0, 0, width, height);
  ctx.textBaseline = 'middle';
  ctx.textAlign = 'left';
  ctx.font = FONT;
  for (const [i, strip] of strips.entries()) {
    if (i % 2 === 1) continue;
    ctx.fillStyle = palette['surface-sunken'];
    ctx.globalAlpha = 0.55;
    ctx.fillRect(0, strip.top, width, strip.height);
    ctx.globalAlpha = 1;
  }
  drawRuler(ctx, scene);
  ctx.fillStyle = palette['line-strong'];
  for (const at of scene.landmarks) {
    const x = Math.round(xOf(at, view, width));
    if (x >= 0 && x <= width) ctx.fillRect(x, RULER_HEIGHT - 8, 1.5, height);
  }
  const msPerPx = lengthOf(view) / width;
  const margin = 60 * msPerPx;
  for (const strip of strips) {
    ctx.font = FONT;
    if (strip.kind === 'track') drawTrack(ctx, scene, strip, strip.lane);
    else if (strip.kind === 'stills') drawStills(ctx, scene, strip);
    else {
      const { bars, groups } = arrangementOf(strip.lane, msPerPx);
      for (const bar of bars) {
        if (bar.from > view.until) break;
        if (bar.until >= view.from) drawBar(ctx, scene, bar, rowCentre(strip, bar.row));
      }
      ctx.font = BOLD;
      const y = rowCentre(strip, 0);
      for (let i = firstVisible(groups, view.from - margin); i < groups.length; i++) {
        const group = groups[i] as Group;
        if (group.from > view.until + margin) break;
        drawGroup(ctx, scene, group, y);
      }
    }
  }
}
