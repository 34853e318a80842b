import {
  type CSSVariablesResolver,
  createTheme,
  localStorageColorSchemeManager,
  type MantineColorsTuple,
} from '@mantine/core';

const indigo: MantineColorsTuple = [
  '#eef1fd',
  '#dbe0f9',
  '#b5bff1',
  '#8c9bea',
  '#6a7ce3',
  '#5469df',
  '#485edd',
  '#3a4dc5',
  '#3244b0',
  '#273a9b',
];

const slate: MantineColorsTuple = [
  '#c6cad6',
  '#a9afbf',
  '#8b92a5',
  '#5d6478',
  '#3c4356',
  '#2c3242',
  '#222735',
  '#181c27',
  '#12151e',
  '#0c0e15',
];

export const theme = createTheme({
  colors: { indigo, dark: slate },
  primaryColor: 'indigo',
  primaryShade: { light: 7, dark: 6 },
  fontFamily:
    'Inter, system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "Liberation Sans", "DejaVu Sans", sans-serif',
  fontFamilyMonospace: 'ui-monospace, "SF Mono", "Cascadia Mono", "DejaVu Sans Mono", Menlo, monospace',
  defaultRadius: 'md',
  headings: { fontWeight: '650' },
  cursorType: 'pointer',
  respectReducedMotion: true,
});

/** Dimmed text and placeholders of the library miss the contrast that WCAG AA asks for on our backgrounds. */
export const cssVariables: CSSVariablesResolver = () => ({
  variables: {},
  light: {
    '--mantine-color-dimmed': '#565e70',
    '--mantine-color-placeholder': '#687084',
    '--mantine-color-error': '#c92a2a',
  },
  dark: {
    '--mantine-color-dimmed': '#a9afbf',
    '--mantine-color-placeholder': '#8b92a5',
    '--mantine-color-error': '#ff8787',
  },
});

export const colorSchemeManager = localStorageColorSchemeManager({ key: 'openproctor-color-scheme' });
