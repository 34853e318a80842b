import { SEVERITY_NAMES, type Severity } from './severity';

const SHAPES: Record<Severity, React.ReactNode> = {
  high: <path d="M6 0.8 11.6 11 H0.4 Z" fill="currentColor" />,
  medium: <path d="M6 0.4 11.6 6 6 11.6 0.4 6 Z" fill="currentColor" />,
  low: <circle cx="6" cy="6" r="4.8" fill="currentColor" />,
  info: <circle cx="6" cy="6" r="4" fill="none" stroke="currentColor" strokeWidth="1.8" />,
};

/** Severity as a shape in its colour, so that colour is never alone. Silent when `label` is false: text stands beside it. */
export function SeverityMark({
  severity,
  size = 12,
  label = true,
}: {
  severity: Severity;
  size?: number;
  label?: boolean;
}) {
  return (
    // biome-ignore lint/a11y/noSvgWithoutTitle: named by aria-label, or silent because text stands beside it
    <svg
      width={size}
      height={size}
      viewBox="0 0 12 12"
      style={{ color: `var(--${severity})`, flex: 'none' }}
      {...(label
        ? { role: 'img', 'aria-label': `${SEVERITY_NAMES[severity]} severity` }
        : { 'aria-hidden': true, focusable: false })}
    >
      {SHAPES[severity]}
    </svg>
  );
}
