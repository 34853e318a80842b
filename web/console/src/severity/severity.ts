/** Severity of an event at the exam's stake. A finding is an event of severity low or above. */

export const SEVERITIES = ['high', 'medium', 'low', 'info'] as const;
export type Severity = (typeof SEVERITIES)[number];

export const SEVERITY_NAMES: Record<Severity, string> = {
  high: 'High',
  medium: 'Medium',
  low: 'Low',
  info: 'Info',
};

const WEIGHT: Record<Severity, number> = { high: 3, medium: 2, low: 1, info: 0 };

export const weight = (severity: Severity): number => WEIGHT[severity] ?? 0;
export const isFinding = (event: { severity: Severity }): boolean => weight(event.severity) > 0;
export const heavier = (a: Severity, b: Severity): Severity => (weight(b) > weight(a) ? b : a);
