/** Which events the list shows. */

import type { SessionEvent } from '../../api/types';
import type { Severity } from '../../severity/severity';
import { sourceName, summaryOf } from './words';

export interface EventFilter {
  /** Empty means all. */
  severities: readonly Severity[];
  categories: readonly string[];
  text: string;
}

export const NO_FILTER: EventFilter = { severities: [], categories: [], text: '' };

export const isFiltered = (filter: EventFilter): boolean =>
  filter.severities.length > 0 || filter.categories.length > 0 || filter.text.trim() !== '';

/** Every word of the text has to be in the name, the summary, the source, or to be the number of the type. */
export function matches(event: SessionEvent, filter: EventFilter): boolean {
  if (filter.severities.length > 0 && !filter.severities.includes(event.severity)) return false;
  if (filter.categories.length > 0 && !filter.categories.includes(event.category)) return false;
  const words = filter.text.toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0) return true;
  const text = `${event.name} ${summaryOf(event)} ${sourceName(event.source)} ${event.type_id}`.toLowerCase();
  return words.every((word) => text.includes(word));
}
