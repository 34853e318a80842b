/** What one lane shows at one zoom: bars long enough to be seen, single marks, and clusters where it gets dense. */

import type { SessionEvent } from '../../api/types';
import { heavier, isFinding, type Severity } from '../../severity/severity';
import type { Bar, Lane, Mark } from './lanes';

/** What a single mark needs, in px. */
const MARK_PX = 16;
/** A group is drawn from this much before its first moment on, so that its shape stands at that moment. */
export const GROUP_LEAD_PX = 9;
/** A state shorter than this is drawn as a mark. */
export const SHORTEST_BAR_PX = 12;

export interface Group {
  from: number;
  until: number;
  marks: Mark[];
  severity: Severity;
  findings: number;
}

export interface Arrangement {
  bars: Bar[];
  groups: Group[];
}

/** Findings where there are any: a finding must not drown in a crowd of other events. */
export const groupLabel = (group: Group): string => String(group.findings || group.marks.length);

/** The width of a group as it is drawn, in px. */
export const groupWidth = (group: Group): number =>
  group.marks.length === 1 ? MARK_PX : 22 + 7 * groupLabel(group).length;

function startGroup(mark: Mark): Group {
  const { severity } = mark.event;
  return { from: mark.at, until: mark.at, marks: [mark], severity, findings: isFinding(mark.event) ? 1 : 0 };
}

/** Depends on the zoom only, not on the window, so that nothing flickers while panning. Linear in the lane's marks. */
export function arrange(lane: Lane, msPerPx: number): Arrangement {
  const bars = lane.bars.filter((bar) => (bar.until - bar.from) / msPerPx >= SHORTEST_BAR_PX);
  const drawnAsBar = new Set(bars.map((bar) => bar.state.event.sequence));
  const groups: Group[] = [];
  let group: Group | null = null;
  for (const mark of lane.marks) {
    if (drawnAsBar.has(mark.event.sequence)) continue;
    // What would be drawn over a group belongs to it, so groups never overlap.
    if (group && (mark.at - group.from) / msPerPx < groupWidth(group) + 2) {
      group.marks.push(mark);
      group.until = mark.at;
      group.severity = heavier(group.severity, mark.event.severity);
      if (isFinding(mark.event)) group.findings += 1;
    } else {
      group = startGroup(mark);
      groups.push(group);
    }
  }
  return { bars, groups };
}

/** The event that stands for a group: the first of its heaviest. */
export const leadOf = (group: Group): SessionEvent =>
  (group.marks.find((mark) => mark.event.severity === group.severity) ?? (group.marks[0] as Mark)).event;

/** Index of the first item whose end is not before `at`; items ordered and, as groups are, without overlap. */
export function firstVisible(items: readonly { until: number }[], at: number): number {
  let low = 0;
  let high = items.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((items[middle] as { until: number }).until < at) low = middle + 1;
    else high = middle;
  }
  return low;
}
