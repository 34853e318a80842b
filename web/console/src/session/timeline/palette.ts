import type { Severity } from '../../severity/severity';

const NAMES = [
  'surface',
  'surface-sunken',
  'line',
  'line-strong',
  'ink',
  'ink-soft',
  'accent',
  'recorded',
  'recorded-soft',
  'high',
  'high-soft',
  'medium',
  'medium-soft',
  'low',
  'low-soft',
  'info',
  'info-soft',
] as const;

export type Colour = (typeof NAMES)[number];
export type Palette = Record<Colour, string>;

/** The colours of the style sheet, for the canvas. */
export function readPalette(): Palette {
  const style = getComputedStyle(document.documentElement);
  return Object.fromEntries(
    NAMES.map((name) => [name, style.getPropertyValue(`--${name}`).trim()]),
  ) as Palette;
}

export const softOf = (severity: Severity): Colour => `${severity}-soft`;
