/** Keys of the session page. One list: it drives both the keys and the sheet that explains them. */

import type { Desk } from '../desk';
import { ZOOM_STEP } from '../timeline/zoomStep';

export interface Shortcut {
  /** Values of KeyboardEvent.key. */
  keys: string[];
  /** As the sheet shows them. */
  shown: string[];
  text: string;
  group: 'Findings' | 'Playing' | 'Timeline' | 'Page';
  /** May repeat while the key is held. */
  repeats?: boolean;
  run: (desk: Desk, page: PageActions) => void;
}

export interface PageActions {
  toggleSheet: () => void;
  swap: () => void;
  framesPerSecond: () => number;
}

export const SHORTCUTS: Shortcut[] = [
  {
    keys: ['n'],
    shown: ['n'],
    text: 'Next finding',
    group: 'Findings',
    repeats: true,
    run: (desk) => desk.stepFinding(1),
  },
  {
    keys: ['p'],
    shown: ['p'],
    text: 'Previous finding',
    group: 'Findings',
    repeats: true,
    run: (desk) => desk.stepFinding(-1),
  },
  {
    keys: [' '],
    shown: ['space'],
    text: 'Play or pause',
    group: 'Playing',
    run: (desk) => desk.playback.toggle(),
  },
  {
    keys: ['ArrowLeft'],
    shown: ['←'],
    text: '5 seconds back',
    group: 'Playing',
    repeats: true,
    run: (desk) => desk.playback.skip(-5_000),
  },
  {
    keys: ['ArrowRight'],
    shown: ['→'],
    text: '5 seconds on',
    group: 'Playing',
    repeats: true,
    run: (desk) => desk.playback.skip(5_000),
  },
  {
    keys: [','],
    shown: [','],
    text: 'One picture back',
    group: 'Playing',
    repeats: true,
    run: (desk, page) => desk.playback.step(-1, page.framesPerSecond()),
  },
  {
    keys: ['.'],
    shown: ['.'],
    text: 'One picture on',
    group: 'Playing',
    repeats: true,
    run: (desk, page) => desk.playback.step(1, page.framesPerSecond()),
  },
  {
    keys: ['['],
    shown: ['['],
    text: 'Slower',
    group: 'Playing',
    run: (desk) => desk.playback.changeSpeed(-1),
  },
  {
    keys: [']'],
    shown: [']'],
    text: 'Faster',
    group: 'Playing',
    run: (desk) => desk.playback.changeSpeed(1),
  },
  {
    keys: ['m'],
    shown: ['m'],
    text: 'Sound on or off',
    group: 'Playing',
    run: (desk) => desk.playback.setSound({ muted: !desk.playback.snapshot().muted }),
  },
  { keys: ['s'], shown: ['s'], text: 'Swap the recordings', group: 'Playing', run: (_, page) => page.swap() },
  {
    keys: ['l'],
    shown: ['l'],
    text: 'Jump to live',
    group: 'Playing',
    run: (desk) => desk.model.live && desk.playback.jumpToLive(),
  },
  {
    keys: ['+', '='],
    shown: ['+'],
    text: 'Zoom in',
    group: 'Timeline',
    repeats: true,
    run: (desk) => desk.window.zoomAround(ZOOM_STEP, desk.playback.at),
  },
  {
    keys: ['-'],
    shown: ['-'],
    text: 'Zoom out',
    group: 'Timeline',
    repeats: true,
    run: (desk) => desk.window.zoomAround(1 / ZOOM_STEP, desk.playback.at),
  },
  { keys: ['0'], shown: ['0'], text: 'Whole session', group: 'Timeline', run: (desk) => desk.window.whole() },
  {
    keys: ['Home'],
    shown: ['Home'],
    text: 'To the start of the exam',
    group: 'Timeline',
    run: (desk) => desk.goTo(desk.model.zero),
  },
  {
    keys: ['End'],
    shown: ['End'],
    text: 'To the end',
    group: 'Timeline',
    run: (desk) => desk.goTo(desk.model.bounds.until),
  },
  {
    keys: ['?'],
    shown: ['?'],
    text: 'Show these shortcuts',
    group: 'Page',
    run: (_, page) => page.toggleSheet(),
  },
];

/** Fields and widgets that have a use of their own for a key. */
const TYPING = 'input:not([type="checkbox"]):not([type="radio"]), textarea, select, [contenteditable="true"]';
const WIDGETS =
  '[role="menu"], [role="dialog"], [role="combobox"], [role="slider"]:not([data-playhead]), video';
const PRESSED_BY_SPACE = 'button, a, summary, [role="tab"], [role="switch"], input[type="checkbox"]';
const MOVED_BY_KEYS = '[role="listbox"], [role="tablist"]';

/** The shortcut a key press means, or null where it belongs to what has the focus. */
export function shortcutFor(event: KeyboardEvent): Shortcut | null {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.isComposing)
    return null;
  const target = event.target instanceof Element ? event.target : null;
  if (target?.closest(TYPING) || target?.closest(WIDGETS)) return null;
  if (event.key === ' ' && target?.closest(PRESSED_BY_SPACE)) return null;
  if (/^(Arrow|Home|End|Page)/.test(event.key) && target?.closest(MOVED_BY_KEYS)) {
    const sideways = event.key === 'ArrowLeft' || event.key === 'ArrowRight';
    if (!sideways || target.closest('[role="tablist"]')) return null;
  }
  const shortcut = SHORTCUTS.find((candidate) => candidate.keys.includes(event.key)) ?? null;
  return shortcut && event.repeat && !shortcut.repeats ? null : shortcut;
}
